import { Construct } from "constructs";
import type { Application } from "../../../constructs";
import { validateApplications } from "../../../constructs/security/application";
import { labSecured } from "../../../lab/environments";
import { principalsOf } from "../../../secrets/platform-secrets";
import { SECURITY, securedKafka } from "../../support/kafka-cluster";

describe("an application", () => {
  const declare = (...applications: Application[]) => securedKafka(applications, SECURITY);

  test.each<[string, Application[], string]>([
    [
      "an illegal name",
      [{ name: "Shop" }],
      'application name "Shop" is not legal: 1 to 63 lower-case letters, digits and hyphens, the first a letter (at test/init)',
    ],
    [
      "the name of a service",
      [{ name: "kafka-7" }],
      `application name "kafka-7" is the name of one of the platform's own services, whose rights it would have: choose another one, such as "kafka-7-app" (at test/init)`,
    ],
    [
      "the name of a sidecar",
      [{ name: "os-admin" }],
      `application name "os-admin" is the name of one of the platform's own services, whose rights it would have: choose another one, such as "os-admin-app" (at test/init)`,
    ],
    [
      "two declarations",
      [{ name: "shop" }, { name: "shop" }],
      'application "shop" is declared twice: every application has one declaration (at test/init)',
    ],
    [
      "a topic that is not there",
      [{ name: "shop", topics: { order: "read" } }],
      'application "shop" has the topic "order", and no topic of that name is declared: allowed are orders; declare the topic or correct the name (at test/init)',
    ],
    [
      "the beginning of no topic",
      [{ name: "shop", topics: { "pay*": "read" } }],
      'application "shop" has the topic "pay*", and no topic whose name begins so is declared: allowed are orders; declare the topic or correct the name (at test/init)',
    ],
    [
      "a star within a name",
      [{ name: "shop", topics: { "o*s": "read" } }],
      `application "shop" has the topic "o*s": allowed is a topic's name, or the beginning of names with a "*" after it (at test/init)`,
    ],
    [
      "every topic, unmeant",
      [{ name: "shop", topics: { "*": "read" } }],
      'application "shop" names every topic with "*": name those that it needs, or a prefix as in "shop-*"; if every topic is meant, add everything: true (at test/init)',
    ],
    [
      "every consumer group, unmeant",
      [{ name: "shop", consumerGroups: ["*"] }],
      'application "shop" names every consumer group with "*": name those that it needs, or a prefix as in "shop-*"; if every consumer group is meant, add everything: true (at test/init)',
    ],
    [
      "every index, unmeant",
      [{ name: "shop", indices: { "*": "read" } }],
      'application "shop" names every index with "*": name those that it needs, or a prefix as in "shop-*"; if every index is meant, add everything: true (at test/init)',
    ],
    [
      "a consumer group of two words",
      [{ name: "shop", consumerGroups: ["my group"] }],
      'application "shop" has the consumer group "my group": allowed are 1 to 255 printable characters of ASCII without white space, and "*" at the end alone, for every group that begins so (at test/init)',
    ],
    [
      "a consumer group twice",
      [{ name: "shop", consumerGroups: ["g", "g"] }],
      'application "shop" has the consumer group "g" twice: name it once (at test/init)',
    ],
  ])("fails with %s", (_, applications, message) => {
    expect(() => declare(...applications)).toThrow(message);
  });

  test("may read everything when it is meant", () => {
    const everything: Application = {
      name: "audit",
      topics: { "*": "read", "ord*": "read" },
      consumerGroups: ["*"],
      indices: { "*": "read" },
      everything: true,
    };
    expect(() => declare(everything)).not.toThrow();
  });
});

test("no application takes the name of a principal", () => {
  const scope = new Construct(undefined as never, "");
  for (const name of principalsOf(labSecured).keys()) {
    expect(() => validateApplications([{ name }], undefined, scope)).toThrow(
      `application name "${name}" is the name of one of the platform's own services, whose rights it would have: choose another one, such as "${name}-app"`,
    );
  }
});
