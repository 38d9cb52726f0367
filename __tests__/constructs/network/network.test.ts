import { Network } from "../../../constructs";
import { testStack } from "../../support/stack";

test.each([
  ["a new network", (name: string) => new Network(testStack(), "net", { name })],
  ["an existing network", (name: string) => Network.fromName(testStack(), "net", name)],
])("%s is rejected with a name that cannot be part of hostnames", (_, declare) => {
  expect(() => declare("infra net")).toThrow(
    /^network name "infra net" is invalid, since it is part of host names: use letters, digits, "-", "_" and "\.", /,
  );
  expect(declare("infra_net").name).toBe("infra_net");
});
