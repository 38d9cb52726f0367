import { applicationPrincipalRules, principalRules } from "../../../constructs/kafka/kafka-cluster";
import { labSecured } from "../../../lab/environments";
import { principalsOf } from "../../../secrets/platform-secrets";
import { KafkaHarness } from "../../support/fake-kafka";

let harness: KafkaHarness;
beforeAll(async () => {
  harness = await KafkaHarness.start();
});
afterAll(() => harness.stop());

/** Returns the principals to which Kafka's own code maps the subjects of certificates. */
async function principalsBy(rules: string, subjects: readonly string[]): Promise<string[]> {
  return (await harness.ask({ do: "principals", rules, subjects })).principals;
}

const principals = (...subjects: string[]) => principalsBy(principalRules("kafka"), subjects);

test("Kafka knows every broker by the name of the cluster, and every other certificate of the platform by its own", async () => {
  const names = [...principalsOf(labSecured).keys(), "kafka-12", "broker.eu_1"];
  expect(await principals(...names.map((name) => `CN=${name}`))).toEqual(
    names.map((name) => (/^kafka-\d+$/.test(name) ? "kafka" : name)),
  );
});

describe("on the listener of applications, Kafka", () => {
  const rules = applicationPrincipalRules("kafka", "kafka-init");

  test("knows an application by its name", async () => {
    const names = ["shop", "kafka-tools", "kafka-init-2", "my-kafka-1", "alloys", "a1"];
    expect(
      await principalsBy(
        rules,
        names.map((name) => `CN=${name}`),
      ),
    ).toEqual(names);
  });

  test("gives the certificates that have permissions elsewhere none", async () => {
    const subjects = ["kafka", "kafka-1", "kafka-12", "kafka-init", "alloy"].map(
      (name) => `CN=${name}`,
    );
    expect(await principalsBy(rules, subjects)).toEqual(subjects);
  });

  test("gives no certificate with another subject the name of an application", async () => {
    const others = [
      "CN=shop,O=other",
      "O=other,CN=shop",
      "CN=shop+O=other",
      "CN=shop\\ ",
      "CN=shop\n",
    ];
    const mapped = await principalsBy(rules, others);
    expect(mapped.filter((name) => /^[a-zA-Z0-9._-]+$/.test(name))).toEqual([]);
  });
});

test("Kafka gives no certificate with another subject the name of a superuser", async () => {
  const others = [
    "CN=kafka-init,O=other",
    "CN=kafka-1,OU=team,O=company,C=DE",
    "CN=kafka-init+O=other",
    "O=other,CN=kafka-init",
    "CN=kafka-init,CN=other",
    "CN=kafka-init\\,O\\=other",
    "CN=kafka-init\\ ",
    "OU=kafka-init",
    "CN=kafka-1\\ ",
    "CN=kafka-1\n",
    "CN=kafka-1,CN=kafka-2",
  ];
  const mapped = await principals(...others);
  expect(mapped.filter((name) => /^[a-zA-Z0-9._-]+$/.test(name))).toEqual([]);
  expect(mapped[0]).toBe("CN=kafka-init,O=other");
});
