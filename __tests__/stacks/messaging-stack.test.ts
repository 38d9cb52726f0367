import { laptop } from "../../environments/laptop";
import { container, envOf, synthesize } from "../support/platform";

const REAUTHENTICATION = "KAFKA_CONNECTIONS_MAX_REAUTH_MS";

test("an environment says how long a connection of an application lasts without its password", () => {
  const secured = { ...laptop, security: "tls" } as const;
  const kafka = { ...laptop.kafka, reauthenticationMinutes: 30 };
  for (const [environment, expected] of [
    [secured, "600000"],
    [{ ...secured, kafka }, "1800000"],
    [laptop, undefined],
  ] as const) {
    const broker = container(synthesize(environment).stacks, "kafka-1");
    expect(envOf(broker)[REAUTHENTICATION]).toBe(expected);
  }
});
