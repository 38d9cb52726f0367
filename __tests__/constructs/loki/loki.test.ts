import { parse } from "yaml";
import { DataVolume, Loki, Prometheus } from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { container, envOf, synthesize } from "../../support/platform";
import { testStack } from "../../support/stack";

const { stacks } = synthesize(laptop);

test("Loki keeps logs for 14 days by default, and rejects an invalid number of days", () => {
  expect(envOf(container(stacks, "loki"))).toEqual({ LOG_RETENTION: "336h" });
  const scope = testStack();
  const props = { network: { name: "n" }, dataVolume: new DataVolume(scope, "v", { name: "v" }) };
  expect(() => new Loki(scope, "loki", { ...props, retentionDays: 0 })).toThrow(
    "retentionDays is 0: Loki keeps logs for a whole number of days, at least 1 (at test/loki)",
  );
  expect(
    () => new Prometheus(scope, "p", { ...props, declared: () => [], retentionDays: 1.5 }),
  ).toThrow(
    "retentionDays is 1.5: Prometheus keeps metrics for a whole number of days, at least 1 (at test/p)",
  );
});

test("no client of Loki can delete logs", () => {
  const [{ content }] = container(stacks, "loki").upload;
  expect(parse(content).limits_config.deletion_mode).toBe("disabled");
});
