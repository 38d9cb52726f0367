import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { catalog } from "../../../catalog";
import {
  type Application,
  DashboardProvider,
  IndexTemplate,
  type Topic,
} from "../../../constructs";
import type { Environment } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { lab, labThree } from "../../../lab/environments";
import { differences } from "../../../operations/changes/diff";
import { compare, preview } from "../../../operations/changes/preview";
import { RENDERERS } from "../../../operations/changes/render";
import {
  type ChangeReport,
  EXIT_CHANGES,
  EXIT_DESTRUCTIVE,
  EXIT_NO_CHANGE,
  exitCodeOf,
} from "../../../operations/changes/report";
import { currentEnvironment } from "../../../operations/synthesis/environment";
import type { Synthesis } from "../../../operations/synthesis/tree";
import type { Catalog } from "../../../stacks/platform";
import { runHere } from "../../support/command";
import { type Json, synthesize } from "../../support/platform";

const ROOT = join(__dirname, "..", "..", "..");

function synthesis(environment: Environment = laptop, declared: Catalog = catalog): Synthesis {
  return new Map(Object.entries(synthesize(environment, declared).stacks));
}

const BASE = synthesis();

/** The synthesis after a change of its JSON, as a change of the code would have it. */
function edited(change: (stacks: Record<string, Json>) => void): Synthesis {
  const stacks: Record<string, Json> = JSON.parse(JSON.stringify(Object.fromEntries(BASE)));
  change(stacks);
  return new Map(Object.entries(stacks));
}

const report = (base: Synthesis, head: Synthesis): ChangeReport =>
  compare("laptop", "main", base, head);
const rendered = (base: Synthesis, head: Synthesis) => RENDERERS.terminal([report(base, head)]);

const withTopics = (topics: readonly Topic[]) => synthesis(laptop, { ...catalog, topics });
const [infraEvents, applicationLogs] = catalog.topics;

/** A directory of files, for what is read from one. */
function directoryOf(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), "preview-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(directory, name, ".."), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

function withTemplates(files: Record<string, object>): Synthesis {
  const directory = directoryOf(
    Object.fromEntries(
      Object.entries(files).map(([name, body]) => [`${name}.json`, JSON.stringify(body)]),
    ),
  );
  try {
    return synthesis(laptop, {
      ...catalog,
      indexTemplates: IndexTemplate.fromDirectory(directory),
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
const TEMPLATE = catalog.indexTemplates[0].body;

function withDashboards(change: (files: Record<string, Json>) => void): Synthesis {
  const files = Object.fromEntries(
    catalog.dashboards.dashboards.map(({ file, content }) => [file, JSON.parse(content)]),
  );
  change(files);
  const directory = directoryOf(
    Object.fromEntries(Object.entries(files).map(([name, body]) => [name, JSON.stringify(body)])),
  );
  try {
    return synthesis(laptop, {
      ...catalog,
      dashboards: DashboardProvider.fromDirectory(directory),
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const withRules = (change: (rules: Json[]) => void) => {
  const alertGroups: Json[] = JSON.parse(JSON.stringify(catalog.alertGroups));
  change(alertGroups);
  return synthesis(laptop, { ...catalog, alertGroups });
};

const withNotifications = (change: object) =>
  synthesis(laptop, { ...catalog, notifications: { ...catalog.notifications, ...change } });

const setImage = (stacks: Record<string, Json>, from: string, to: string) => {
  for (const stack of Object.values(stacks)) {
    for (const image of Object.values<Json>(stack.resource.docker_image ?? {})) {
      if (image.name === from) {
        image.name = to;
      }
    }
  }
};

const renameId = (resources: Json, from: string, to: string) => {
  resources[to] = resources[from];
  delete resources[from];
};
const idOf = (resources: Json, name: string) =>
  Object.keys(resources).find((id) => resources[id].name === name) as string;

describe("a preview of", () => {
  test.each<[string, number, () => [Synthesis, Synthesis]]>([
    ["nothing", EXIT_NO_CHANGE, () => [BASE, synthesis()]],
    [
      "another program of a sidecar",
      EXIT_CHANGES,
      () => [
        BASE,
        edited(({ "laptop-messaging": { resource } }) => {
          const { upload } =
            resource.docker_container[idOf(resource.docker_container, "kafka-init")];
          const program = upload.find(({ file }: Json) => file === "/groundwork/kafka-init.jar");
          program.source = program.source.replaceAll(program.source_hash, "0123");
          program.source_hash = "0123";
        }),
      ],
    ],
    [
      "a topic added",
      EXIT_CHANGES,
      () => [BASE, withTopics([...catalog.topics, { name: "orders", partitions: 3 }])],
    ],
    [
      "more partitions",
      EXIT_CHANGES,
      () => [BASE, withTopics([{ ...infraEvents, partitions: 6 }, applicationLogs])],
    ],
    [
      "more partitions of a topic that is reconciled",
      EXIT_CHANGES,
      () => [
        withTopics([{ ...infraEvents, onDrift: "reconcile" }, applicationLogs]),
        withTopics([{ ...infraEvents, onDrift: "reconcile", partitions: 6 }, applicationLogs]),
      ],
    ],
    [
      "fewer partitions",
      EXIT_CHANGES,
      () => [BASE, withTopics([infraEvents, { ...applicationLogs, partitions: 3 }])],
    ],
    [
      "a topic's configs",
      EXIT_CHANGES,
      () => [
        BASE,
        withTopics([
          { ...infraEvents, configs: { "min.insync.replicas": 1, "retention.ms": 3600000 } },
          applicationLogs,
        ]),
      ],
    ],
    [
      "configs taken out of a topic",
      EXIT_CHANGES,
      () => [
        withTopics([
          { ...infraEvents, configs: { "retention.ms": 60000, "segment.ms": 60000 } },
          applicationLogs,
        ]),
        withTopics([infraEvents, applicationLogs]),
      ],
    ],
    [
      "a config taken out of a topic that is reconciled, and another changed",
      EXIT_CHANGES,
      () => [
        withTopics([
          {
            ...infraEvents,
            onDrift: "reconcile",
            configs: { "retention.ms": 60000, "segment.ms": 60000 },
          },
          applicationLogs,
        ]),
        withTopics([
          { ...infraEvents, onDrift: "reconcile", configs: { "segment.ms": 30000 } },
          applicationLogs,
        ]),
      ],
    ],
    ["a topic removed", EXIT_DESTRUCTIVE, () => [BASE, withTopics([infraEvents])]],
    [
      "a topic renamed",
      EXIT_DESTRUCTIVE,
      () => [BASE, withTopics([{ ...infraEvents, name: "events" }, applicationLogs])],
    ],
    [
      "a template added",
      EXIT_CHANGES,
      () => [
        BASE,
        withTemplates({ logs_template: TEMPLATE, orders: { index_patterns: ["orders-*"] } }),
      ],
    ],
    [
      "a template changed",
      EXIT_CHANGES,
      () => [
        BASE,
        withTemplates({
          logs_template: { ...TEMPLATE, priority: 300, index_patterns: ["logs-*", "log-*"] },
        }),
      ],
    ],
    ["a template renamed", EXIT_DESTRUCTIVE, () => [BASE, withTemplates({ logs: TEMPLATE })]],
    [
      "two more brokers",
      EXIT_DESTRUCTIVE,
      () => [BASE, synthesis({ ...laptop, kafka: { brokers: 5 } })],
    ],
    [
      "two brokers less",
      EXIT_DESTRUCTIVE,
      () => [
        synthesis({ ...laptop, kafka: { brokers: 5 } }),
        synthesis({ ...laptop, kafka: { brokers: 3 } }),
      ],
    ],
    [
      "one more OpenSearch node",
      EXIT_DESTRUCTIVE,
      () => [BASE, synthesis({ ...laptop, openSearch: { ...laptop.openSearch, nodes: 4 } })],
    ],
    [
      "one OpenSearch node less",
      EXIT_DESTRUCTIVE,
      () => [synthesis({ ...laptop, openSearch: { ...laptop.openSearch, nodes: 4 } }), BASE],
    ],
    [
      "more memory, which the JVMs' heap follows",
      EXIT_DESTRUCTIVE,
      () => [BASE, synthesis({ ...laptop, memoryScale: 1 })],
    ],
    [
      "one container's memory",
      EXIT_CHANGES,
      () => [
        BASE,
        edited(({ "laptop-observability": stack }) => {
          for (const body of Object.values<Json>(stack.resource.docker_container)) {
            if (body.name === "loki") {
              Object.assign(body, { memory: 2048, memory_swap: 2048, memory_reservation: 1024 });
            }
          }
        }),
      ],
    ],
    [
      "another image of Kafka",
      EXIT_DESTRUCTIVE,
      () => [
        BASE,
        edited((stacks) => setImage(stacks, "apache/kafka:4.3.1", "apache/kafka:4.4.0")),
      ],
    ],
    [
      "another image of Grafana",
      EXIT_CHANGES,
      () => [
        BASE,
        edited((stacks) => setImage(stacks, "grafana/grafana:13.1.0", "grafana/grafana:13.1.1")),
      ],
    ],
    [
      "a dashboard's panels",
      EXIT_CHANGES,
      () => [
        BASE,
        withDashboards((files) => {
          const kafka = files["Messaging/kafka.json"];
          kafka.panels[0].title = "Alive";
          kafka.panels[1].description = "Another one.";
          kafka.panels.pop();
          kafka.refresh = "1m";
        }),
      ],
    ],
    [
      "a dashboard added",
      EXIT_CHANGES,
      () => [
        BASE,
        withDashboards((files) => {
          files["Team/orders.json"] = {
            ...files["Platform/logs.json"],
            uid: "orders",
            title: "Orders",
          };
        }),
      ],
    ],
    [
      "a dashboard removed",
      EXIT_CHANGES,
      () => [
        BASE,
        withDashboards((files) => {
          delete files["Platform/logs.json"];
        }),
      ],
    ],
    [
      "an alert's query, severity and patience",
      EXIT_CHANGES,
      () => [
        BASE,
        withRules((groups) => {
          Object.assign(groups[0].rules[0], {
            expr: "up == 0",
            for: "5m",
            labels: { severity: "warning" },
          });
        }),
      ],
    ],
    [
      "alerts added and removed",
      EXIT_CHANGES,
      () => [
        BASE,
        withRules((groups) => {
          groups[0].rules = [{ ...groups[0].rules[0], alert: "AlloyGone" }, groups[0].rules[1]];
          groups[1].interval = "30s";
        }),
      ],
    ],
    [
      "a contact point",
      EXIT_CHANGES,
      () => [
        BASE,
        withNotifications({
          contactPoints: [
            ...catalog.notifications.contactPoints,
            { name: "chat", slack: { url: { variable: "alerts_slack" } } },
          ],
        }),
      ],
    ],
    [
      "who is told",
      EXIT_CHANGES,
      () => [
        BASE,
        withNotifications({ policy: { ...catalog.notifications.policy, repeatInterval: "1h" } }),
      ],
    ],
    [
      "host ports taken away",
      EXIT_DESTRUCTIVE,
      () => [BASE, synthesis({ ...laptop, hostPorts: undefined })],
    ],
    [
      "a network renamed",
      EXIT_DESTRUCTIVE,
      () => [
        BASE,
        synthesis({ ...laptop, networks: { ...laptop.networks, project: { name: "team_net" } } }),
      ],
    ],
    [
      "a network that is someone else's from now on",
      EXIT_DESTRUCTIVE,
      () => [
        BASE,
        synthesis({
          ...laptop,
          networks: { ...laptop.networks, project: { name: "project_net", adopt: true } },
        }),
      ],
    ],
    [
      "a volume with another id in the code",
      EXIT_DESTRUCTIVE,
      () => [
        BASE,
        edited(({ "laptop-storage": { resource } }) => {
          const id = idOf(resource.docker_volume, "kafka-1-data");
          renameId(resource.docker_volume, id, "broker-1");
        }),
      ],
    ],
    [
      "a volume with another id in the code and a moved block",
      EXIT_CHANGES,
      () => [
        BASE,
        edited(({ "laptop-storage": stack }) => {
          const id = idOf(stack.resource.docker_volume, "kafka-1-data");
          renameId(stack.resource.docker_volume, id, "broker-1");
          stack.moved = [{ from: `docker_volume.${id}`, to: "docker_volume.broker-1" }];
        }),
      ],
    ],
    [
      "a volume that may be destroyed from now on",
      EXIT_CHANGES,
      () => [
        BASE,
        edited(({ "laptop-storage": { resource } }) => {
          const { [idOf(resource.docker_volume, "kafka-1-data")]: volume } = resource.docker_volume;
          volume.lifecycle.prevent_destroy = false;
        }),
      ],
    ],
    [
      "another version of the provider",
      EXIT_CHANGES,
      () => [
        BASE,
        edited(({ "laptop-network": { terraform } }) => {
          terraform.required_providers.docker.version = "4.6.0";
        }),
      ],
    ],
    [
      "another place of the state",
      EXIT_DESTRUCTIVE,
      () => [
        BASE,
        edited(({ "laptop-network": { terraform } }) => {
          terraform.backend.local.path = "elsewhere.tfstate";
        }),
      ],
    ],
    [
      "e-mail from Grafana",
      EXIT_CHANGES,
      () => [
        BASE,
        synthesis({
          ...laptop,
          grafana: { ...laptop.grafana, smtp: { host: "smtp:25", fromAddress: "a@b" } },
        }),
      ],
    ],
    ["an environment that is new", EXIT_CHANGES, () => [new Map(), BASE]],
  ])("%s says what it means and exits with %i", (_, exitCode, make) => {
    const [base, head] = make();
    expect(rendered(base, head)).toMatchSnapshot();
    expect(exitCodeOf([report(base, head)])).toBe(exitCode);
  });
});

describe("of an application in a secured environment", () => {
  const shop = {
    name: "shop",
    topics: { "infra-events": "write" },
    indices: { "logs-shop-*": "readwrite" },
  } as const;
  const withApplications = (...applications: Application[]) =>
    synthesis({ ...lab, security: "tls" }, { ...catalog, applications });
  const told = (...[before, after]: [Application[], Application[]]) => {
    const { changes } = report(withApplications(...before), withApplications(...after));
    const told = changes.flatMap(({ details }) => details);
    return {
      details: told.filter((text) => text.startsWith("application ")),
      destructive: changes.flatMap(({ destructive }) => destructive),
    };
  };

  test("what is added is told, with its rights", () => {
    expect(told([], [{ ...shop, consumerGroups: ["shop"] }])).toEqual({
      details: [
        "application shop: added, read on index logs-shop-*, write on index logs-shop-*",
        "application shop: added, write on topic infra-events, consumer group shop",
      ],
      destructive: [],
    });
  });

  test("who measures the platform is none", () => {
    const { changes } = report(synthesis(lab), withApplications());
    expect(
      changes.flatMap(({ details }) => details).filter((text) => /^application/.test(text)),
    ).toEqual([]);
  });

  test("what is not declared any more is destructive", () => {
    expect(told([shop], [])).toEqual({
      details: ["application shop: no longer declared", "application shop: no longer declared"],
      destructive: [
        "application shop is no longer declared: the deploy revokes its user and its rights in OpenSearch, and refuses it from then on",
        "application shop is no longer declared: the deploy revokes its user and its rights in Kafka, and refuses it from then on",
      ],
    });
  });

  test("a right that is taken away is destructive, and one that is given is not", () => {
    expect(
      told(
        [shop],
        [{ ...shop, topics: { "infra-events": "readwrite" }, indices: { "logs-shop-*": "read" } }],
      ),
    ).toEqual({
      details: [
        "application shop: loses write on index logs-shop-*",
        "application shop: gets read on topic infra-events",
      ],
      destructive: [
        "application shop loses write on index logs-shop-*: the deploy revokes it in OpenSearch",
      ],
    });
  });
});

describe("of a platform that was deployed when kafka-init read lines", () => {
  const shop: Application = {
    name: "shop",
    topics: { "infra-events": "readwrite" },
    consumerGroups: ["shop-*"],
  };
  const secured = (declared: Partial<Catalog> = {}) =>
    synthesis({ ...lab, security: "tls" }, { ...catalog, applications: [shop], ...declared });

  /** As the version before JSON synthesized the catalog and the application. */
  const deployed = (): Synthesis => {
    const stacks: Record<string, Json> = JSON.parse(JSON.stringify(Object.fromEntries(secured())));
    const { docker_container: containers } = stacks["lab-messaging"].resource;
    const init = containers[idOf(containers, "kafka-init")];
    const replace = (json: string, path: string, content: string) => {
      const upload = init.upload.find(({ file }: Json) => file === json);
      Object.assign(upload, { file: path, content });
      init.env = init.env.map((entry: string) => entry.replace(json, path));
    };
    replace(
      "/groundwork/topics.json",
      "/groundwork/topics",
      "infra-events 3 3 fail min.insync.replicas=2\napplication-logs 6 3 fail min.insync.replicas=2\n",
    );
    replace(
      "/groundwork/applications.json",
      "/groundwork/applications",
      "shop topic:readwrite:infra-events group:shop-*\nalloy monitor\n",
    );
    return new Map(Object.entries(stacks));
  };

  test("a preview tells that its files are others, and nothing of topics and applications that stay as they are", () => {
    const { changes } = report(deployed(), secured());
    expect(
      changes.map(({ subject, details, destructive, warnings }) => ({
        ...{ subject, details, destructive, warnings },
      })),
    ).toEqual([
      {
        subject: "container kafka-init",
        details: [
          "variable TOPICS_FILE /groundwork/topics -> /groundwork/topics.json",
          "variable APPLICATIONS_FILE /groundwork/applications -> /groundwork/applications.json",
        ],
        destructive: [],
        warnings: [],
      },
    ]);
  });

  test("a preview tells what changes in topics and applications, what is destructive too", () => {
    const { changes } = report(
      deployed(),
      secured({
        topics: [
          {
            ...infraEvents,
            partitions: 6,
            configs: { "min.insync.replicas": 2, "retention.ms": 1 },
          },
        ],
        applications: [{ name: "shop", topics: { "infra-events": "read" } }],
      }),
    );
    const [init] = changes.filter(({ subject }) => subject === "container kafka-init");
    expect(init.details).toEqual(
      expect.arrayContaining([
        "topic infra-events: partitions 3 -> 6, retention.ms unset -> 1",
        "topic application-logs: no longer declared",
        "application shop: loses write on topic infra-events",
        "application shop: loses consumer group shop-*",
      ]),
    );
    expect(init.destructive).toHaveLength(3);
  });
});

describe("npm run up rolls", () => {
  const rolls = (base: Synthesis, head: Synthesis) =>
    report(base, head).rolls.map(({ cluster, replaced, obstacle }) => [
      cluster,
      replaced.map(({ name }) => name),
      obstacle,
    ]);
  const withHeap = (...names: string[]) =>
    edited((stacks) => {
      for (const name of names) {
        const { docker_container: containers } = stacks["laptop-messaging"].resource;
        containers[idOf(containers, name)].env.push("KAFKA_HEAP_OPTS=-Xmx1g");
      }
    });

  test("a cluster of which several nodes are replaced, and one of which a single node is", () => {
    expect(rolls(BASE, withHeap("kafka-1", "kafka-3"))).toEqual([
      ["kafka", ["kafka-1", "kafka-3"], undefined],
    ]);
    expect(rolls(BASE, withHeap("kafka-2"))).toEqual([["kafka", ["kafka-2"], undefined]]);
  });

  test("the nodes of several machines too, each in the stack of its machine", () => {
    const machines = (memoryScale: number) => synthesis({ ...labThree, memoryScale });
    const found = report(machines(0.5), machines(0.6)).rolls.map(({ cluster, replaced }) => [
      cluster,
      replaced.map(({ name, stack }) => `${name} in ${stack}`),
    ]);
    expect(Object.fromEntries(found)).toEqual({
      opensearch: ["a", "b", "c"].map((name, i) => `opensearch-${i + 1} in lab-three-data-${name}`),
      kafka: ["a", "b", "c"].map((name, i) => `kafka-${i + 1} in lab-three-messaging-${name}`),
    });
  });

  test("nothing that has one node only, and nothing that is new", () => {
    const single = { ...laptop, openSearch: { ...laptop.openSearch, nodes: 1 } };
    const more = { ...single, memoryScale: 2 };
    expect(rolls(synthesis(single), synthesis(more)).map(([cluster]) => cluster)).toEqual([
      "kafka",
    ]);
    expect(rolls(new Map(), BASE)).toEqual([]);
  });

  test("OpenSearch when a node is added, and says why it does not do so with Kafka", () => {
    const more = synthesis({
      ...laptop,
      openSearch: { ...laptop.openSearch, nodes: 4 },
      kafka: { brokers: 5 },
    });
    expect(rolls(BASE, more)).toEqual([
      ["opensearch", ["opensearch-1", "opensearch-2", "opensearch-3"], undefined],
      [
        "kafka",
        ["kafka-1", "kafka-2", "kafka-3"],
        "its quorum goes from 3 to 5 nodes, and running ones cannot change it",
      ],
    ]);
  });

  test("no cluster that begins to speak TLS, since nodes of both kinds cannot talk", () => {
    const secured = synthesis({ ...lab, security: "tls" });
    const obstacle = "a node that speaks TLS and one that does not cannot talk";
    expect(rolls(synthesis(lab), secured)).toEqual([
      ["opensearch", ["opensearch-1", "opensearch-2", "opensearch-3"], obstacle],
      ["kafka", ["kafka-1", "kafka-2", "kafka-3"], obstacle],
    ]);
  });
});

describe("the formats", () => {
  const titled = withDashboards((files) => {
    Object.values(files)[0].title = "<b>|@me";
  });
  const head: Synthesis = new Map([
    ...titled,
    ...[...withTopics([{ ...infraEvents, partitions: 6 }])].filter(([stack]) =>
      stack.endsWith("-messaging"),
    ),
  ]);

  test("Markdown is a table for each stack, with what is destructive first and no markup of values", () => {
    expect(RENDERERS.markdown([report(BASE, head)])).toMatchSnapshot();
  });

  test("JSON has everything", () => {
    expect(JSON.parse(RENDERERS.json([report(BASE, head)]))).toEqual([report(BASE, head)]);
  });
});

test("for random edits of the catalog, exactly the resources whose JSON differs are reported", () => {
  const topic = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    partitions: fc.integer({ min: 1, max: 3 }),
    onDrift: fc.constantFrom("fail" as const, "reconcile" as const),
    configs: fc.record({ "retention.ms": fc.integer({ min: 1, max: 3 }) }),
  });
  const topics = fc.uniqueArray(topic, { selector: ({ name }) => name, maxLength: 4 });
  const notifications = fc.record({
    groupBy: fc.constantFrom(["alertname"], ["service"]),
    repeatInterval: fc.constantFrom("1h", "4h"),
  });
  const edits = fc.record({ topics, notifications, alerts: fc.integer({ min: 1, max: 2 }) });
  const make = ({ topics: declared, notifications: policy, alerts }: Json) =>
    synthesis(laptop, {
      ...catalog,
      topics: declared,
      alertGroups: catalog.alertGroups.slice(0, alerts),
      notifications: {
        ...catalog.notifications,
        policy: { ...catalog.notifications.policy, ...policy },
      },
    });
  // Each against the one before.
  let base = make({ topics: [], notifications: {}, alerts: 1 });
  fc.assert(
    fc.property(edits, (edit) => {
      const head = make(edit);
      const found = differences(base, head).map(({ stack, type, id }) => `${stack} ${type}.${id}`);
      expect(found.sort()).toEqual(differingResources(base, head));
      base = head;
    }),
    { numRuns: 15, seed: 1 },
  );
});

/** Straight from the JSON: every resource whose text is another one. */
function differingResources(base: Synthesis, head: Synthesis): string[] {
  const texts = (synthesized: Synthesis) =>
    new Map(
      [...synthesized].flatMap(([stack, { resource = {} }]) =>
        Object.entries<Json>(resource).flatMap(([type, bodies]) =>
          Object.entries<Json>(bodies).map(
            ([id, body]) => [`${stack} ${type}.${id}`, JSON.stringify(body)] as const,
          ),
        ),
      ),
    );
  const [old, now] = [texts(base), texts(head)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((key) => old.get(key) !== now.get(key))
    .sort();
}

describe("npm run preview", () => {
  const run = (...args: string[]) =>
    runHere(
      ["preview", ...args],
      // Nothing but git and node: no engine, no Terraform.
      { PATH: `${join(process.execPath, "..")}:/usr/bin:/bin`, HOME: tmpdir() },
    );

  test("compares with a revision and counts what is there", async () => {
    const head = execFileSync("git", ["rev-parse", "HEAD"], { cwd: ROOT, encoding: "utf8" }).trim();
    const { stdout, stderr, status } = await run("--base", head, "--env", "production");
    expect(stderr).toBe("");
    expect(stdout).toContain(`production, against ${head}\n`);
    expect(stdout).toMatch(/containers .*15\nreserved memory .* of 32768 MiB/);
    expect([0, 2, 3]).toContain(status);
  });

  test("fails with what is allowed", async () => {
    const { stderr, status } = await run("--verbose");
    expect(stderr).toMatch(
      /Unknown option '--verbose'.*options allowed: --base, --env, --all, --format/,
    );
    expect(status).toBe(1);
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "no revision",
      () => preview("no-such-branch", ["laptop"]),
      /^--base is "no-such-branch" and git cannot check it out: /,
    ],
    [
      "no environment",
      async () => currentEnvironment("prod"),
      /^GROUNDWORK_ENV is "prod": allowed are laptop, production, lab, lab-secured, lab-three, lab-three-secured/,
    ],
  ])("fails with the remedy for what is %s", async (_, look, message) => {
    await expect(look()).rejects.toThrow(message);
  });
});

test("what is in the snapshot of previews is what a reader is to see", () => {
  const snapshot = readFileSync(join(__dirname, "__snapshots__", "preview.test.ts.snap"), "utf8");
  for (const text of [
    "topic infra-events: partitions 3 -> 6",
    "container loki: in place",
    "memory 512 -> 2048 MiB",
    "dashboard Kafka: 2 panels changed, 1 panel removed, refresh changed",
    "image apache/kafka:4.3.1 -> apache/kafka:4.4.0",
  ]) {
    expect(snapshot).toContain(text);
  }
});
