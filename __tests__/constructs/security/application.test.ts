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
      "an invalid name",
      [{ name: "Shop" }],
      'application name "Shop" is invalid: use 1 to 63 lowercase letters, digits and hyphens, starting with a letter (at test/init)',
    ],
    [
      "the name of a service",
      [{ name: "kafka-7" }],
      `application name "kafka-7" is reserved for a service of the platform, whose permissions it would get: choose another name, such as "kafka-7-app" (at test/init)`,
    ],
    [
      "the name of a sidecar",
      [{ name: "os-admin" }],
      `application name "os-admin" is reserved for a service of the platform, whose permissions it would get: choose another name, such as "os-admin-app" (at test/init)`,
    ],
    [
      "a duplicate name",
      [{ name: "shop" }, { name: "shop" }],
      'application "shop" is declared twice: rename or remove one (at test/init)',
    ],
    [
      "an undeclared topic",
      [{ name: "shop", topics: { order: "read" } }],
      'application "shop" has the topic "order", but no topic with that name is declared: declare the topic or correct the name; declared topics: orders (at test/init)',
    ],
    [
      "a prefix of no declared topic",
      [{ name: "shop", topics: { "pay*": "read" } }],
      'application "shop" has the topic "pay*", but no topic with that prefix is declared: declare the topic or correct the name; declared topics: orders (at test/init)',
    ],
    [
      "a star inside a name",
      [{ name: "shop", topics: { "o*s": "read" } }],
      `application "shop" has the topic "o*s": use a topic name, or a prefix followed by "*" (at test/init)`,
    ],
    [
      "every topic, without everything: true",
      [{ name: "shop", topics: { "*": "read" } }],
      'application "shop" names every topic with "*": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every topic (at test/init)',
    ],
    [
      "every consumer group, without everything: true",
      [{ name: "shop", consumerGroups: ["*"] }],
      'application "shop" names every consumer group with "*": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every consumer group (at test/init)',
    ],
    [
      "every index by several stars, without everything: true",
      [{ name: "shop", indices: { "**": "append" } }],
      'application "shop" names every index with "**": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every index (at test/init)',
    ],
    [
      "a regular expression for an index",
      [{ name: "shop", indices: { "/.*/": "read" } }],
      'application "shop" has the index "/.*/": use 1 to 255 lowercase letters, digits, ".", "_", "-" and "*", which stands for any characters (at test/init)',
    ],
    [
      "an unknown access to an index",
      [{ name: "shop", indices: { "shop-*": "apend" as "append" } }],
      'application "shop": indices.shop-* is "apend": it must be "append", "read", "write" or "readwrite" (at test/init)',
    ],
    [
      "every index, without everything: true",
      [{ name: "shop", indices: { "*": "read" } }],
      'application "shop" names every index with "*": list the names or prefixes that it needs, such as "shop-*", or set everything: true to allow every index (at test/init)',
    ],
    [
      "a consumer group of two words",
      [{ name: "shop", consumerGroups: ["my group"] }],
      'application "shop" has the consumer group "my group": use 1 to 255 printable ASCII characters without whitespace; "*" is allowed only at the end, after a prefix (at test/init)',
    ],
    [
      "a consumer group twice",
      [{ name: "shop", consumerGroups: ["g", "g"] }],
      'application "shop" lists the consumer group "g" twice: remove one (at test/init)',
    ],
  ])("fails with %s", (_, applications, message) => {
    expect(() => declare(...applications)).toThrow(message);
  });

  test("may read everything with everything: true", () => {
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
      `application name "${name}" is reserved for a service of the platform, whose permissions it would get: choose another name, such as "${name}-app"`,
    );
  }
});
