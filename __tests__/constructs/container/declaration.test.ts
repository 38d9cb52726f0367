import {
  all,
  ValidationError,
  validateApplications,
  validateNotifications,
  validateTopics,
} from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { validateEnvironment } from "../../../environments/validate";

/** What is said of a declaration, a line each. */
function problemsOf(check: () => unknown): readonly string[] {
  try {
    check();
  } catch (error) {
    if (error instanceof ValidationError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

const environment = (change: object) => () =>
  validateEnvironment("laptop", { ...laptop, ...change });
const topic = (change: object) => () =>
  validateTopics([{ name: "orders", partitions: 6, ...change }]);
const application = (change: object) => () => validateApplications([{ name: "shop", ...change }]);
const notifications = (change: object) => () =>
  validateNotifications({
    contactPoints: [{ name: "us", email: { addresses: ["us@example.org"] } }],
    muteTimings: [{ name: "nights", intervals: [] }],
    policy: { contactPoint: "us" },
    ...change,
  });

test.each<[what: string, check: () => unknown, problems: string[]]>([
  ["an environment", environment({}), []],
  ["a topic", topic({ configs: { "retention.ms": -1, "cleanup.policy": undefined } }), []],
  ["an application", application({}), []],
  ["notifications", notifications({}), []],
  [
    "an environment with unknown properties",
    environment({ hostPort: {}, raiseUlimits: false, zzz: 1 }),
    [
      /^environment "laptop" has an unknown property "hostPort": did you mean "hostPorts"\? allowed: name, /,
      /^environment "laptop" has an unknown property "raiseUlimits": allowed: name, /,
      /^environment "laptop" has an unknown property "zzz": allowed: name, /,
    ],
  ],
  [
    "a property inside of an environment",
    environment({ openSearch: { ...laptop.openSearch, node: 3 } }),
    [
      'environment "laptop": openSearch has an unknown property "node": did you mean "nodes"? allowed: nodes, onProjectNetwork, image, indexManagement, raiseUlimits',
    ],
  ],
  [
    "an environment with values of wrong types",
    environment({
      memoryScale: "2",
      security: "ssl",
      excludedServices: ["loky"],
      kafka: {},
      networks: 3,
    }),
    [
      'environment "laptop": memoryScale is "2": it must be a number',
      'environment "laptop": networks is 3: it must be an object',
      'environment "laptop": security is "ssl": it must be "none" or "tls"',
      'environment "laptop": kafka.brokers is missing: it must be a number',
      'environment "laptop": excludedServices[0] is "loky": it must be "alloy", "grafana" or "loki"',
    ],
  ],
  [
    "an environment with a misspelled part",
    environment({ kafka: undefined, kafak: laptop.kafka }),
    [
      'environment "laptop": kafka is missing: it must be an object',
      /^environment "laptop" has an unknown property "kafak": did you mean "kafka"\? allowed: name, /,
    ],
  ],
  [
    "lists instead of objects",
    environment({ networks: ["a"], hostPorts: [9200], placement: ["a"] }),
    [
      'environment "laptop": networks is a list: it must be an object',
      'environment "laptop": hostPorts is a list: it must be an object',
      'environment "laptop": placement is a list: it must be an object',
    ],
  ],
  [
    "numbers out of range",
    environment({
      openSearch: { ...laptop.openSearch, nodes: 2.5 },
      kafka: { brokers: 1e10 },
      memoryBudgetMiB: -1,
    }),
    [
      'environment "laptop": memoryBudgetMiB is -1: it must be a number of at least 1',
      'environment "laptop": openSearch.nodes is 2.5: it must be a whole number from 1 to 1000',
      'environment "laptop": kafka.brokers is 10000000000: it must be a whole number from 1 to 1000',
    ],
  ],
  [
    "secrets in wrong places, which are hidden",
    environment({ grafana: { adminPassword: "hunter2" }, state: "postgres://u:p@h/db" }),
    [
      'environment "laptop": grafana.adminPassword is [hidden]: it must be "generated" or "variable"',
      'environment "laptop": state is [hidden]: it must be an object',
    ],
  ],
  [
    "both networks of one name",
    environment({ networks: { infra: { name: "net" }, project: { name: "net" } } }),
    [
      'both networks of environment "laptop" are named "net": applications must not join the internal network of the platform; rename one of them',
    ],
  ],
  [
    "topics that are not a list",
    () => validateTopics({} as never),
    ["the list of topics is an object: it must be a list"],
  ],
  [
    "a topic that is null",
    () => validateTopics([null as never]),
    ["the list of topics: [0] is null: it must be an object"],
  ],
  [
    "a topic without a name",
    () => validateTopics([{ partitions: 1 } as never]),
    ["topics[0]: name is missing: it must be a string"],
  ],
  [
    "topics that are declared twice",
    () => validateTopics(["a", "a", "b.c", "b_c"].map((name) => ({ name, partitions: 1 }))),
    [
      'topic "a" is declared twice: remove one declaration',
      'topics "b.c" and "b_c" differ only in "." and "_", which Kafka rejects: rename one',
    ],
  ],
  [
    "a backend of an unknown kind",
    environment({ state: { kind: "s4", bucket: "b" } }),
    [
      'environment "laptop": state.kind is "s4": it must be "local", "s3", "http", "pg", "gcs" or "remote"',
    ],
  ],
  [
    "a topic with values of wrong types",
    topic({ partitions: "6", onDrift: "warn", configs: { "retention.ms": null } }),
    [
      'topic "orders": partitions is "6": it must be a number',
      'topic "orders": configs.retention.ms is null: it must be a string, a number or a boolean',
      'topic "orders": onDrift is "warn": it must be "fail", "reconcile" or "ignore"',
    ],
  ],
  [
    "an application with an unknown property",
    application({ consumergroups: ["shop"] }),
    [
      'application "shop" has an unknown property "consumergroups": did you mean "consumerGroups"? allowed: name, authentication, topics, consumerGroups, transactionalIds, streams, connect, quotas, maxConsumerLagSeconds, indices, everything',
    ],
  ],
  [
    "notifications with an unknown property",
    notifications({ contactpoints: [] }),
    [
      'the declaration of notifications has an unknown property "contactpoints": did you mean "contactPoints"? allowed: contactPoints, muteTimings, policy, heartbeat',
    ],
  ],
  [
    "names, days and durations in notifications",
    notifications({
      contactPoints: ["us", "us"].map((name) => ({ name, email: { addresses: ["us@e.org"] } })),
      muteTimings: [{ name: "m", intervals: [{ weekdays: ["funday", "monday:friday"] }] }],
      policy: { contactPoint: "us", groupWait: "5 minutes", repeatInterval: "1h30m" },
    }),
    [
      'contact point "us" is declared twice: rename one',
      'mute timing "m" has the weekdays "funday": use sunday, monday, tuesday, wednesday, thursday, friday, saturday, or a range such as monday:friday',
      'the notification policy: groupWait is "5 minutes": it must be a number with s, m, h or d, such as 5m',
    ],
  ],
  [
    "everything in notifications",
    notifications({
      contactPoints: [
        { name: "us", emial: {} },
        { name: "hook", webhook: { url: "https://example.org/secret" } },
      ],
      muteTimings: [{ name: "nights", intervals: [{ weekday: ["sunday"] }] }],
      policy: { contactPoint: "us", routes: [{ label: {}, contactPoint: "us" }] },
    }),
    [
      'contact point "us" has an unknown property "emial": did you mean "email"? allowed: name, email, webhook, slack',
      'contact point "hook" has no Terraform variable for its webhook URL: set url to { variable: "webhook_url" } and export TF_VAR_webhook_url before you deploy',
      'mute timing "nights": intervals[0] has an unknown property "weekday": did you mean "weekdays"? allowed: times, weekdays, location',
      "the notification policy: routes[0].labels is missing: it must be an object",
      'the notification policy: routes[0] has an unknown property "label": did you mean "labels"? allowed: labels, contactPoint, muteTimings',
    ],
  ],
] as never)("%s: every problem is reported once", (_, check, problems) => {
  const found = problemsOf(check);
  expect(found.length).toBe(problems.length);
  for (const [i, problem] of problems.entries()) {
    expect(found[i]).toEqual(
      (problem as unknown) instanceof RegExp ? expect.stringMatching(problem) : problem,
    );
  }
});

test("an error that the declaration does not cause is rethrown", () => {
  expect(() =>
    all(
      () => {
        throw new ValidationError("wrong");
      },
      () => {
        throw new TypeError("a defect");
      },
    ),
  ).toThrow(new TypeError("a defect"));
});
