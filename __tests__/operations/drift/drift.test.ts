import { catalog } from "../../../catalog";
import { type Environment, environments } from "../../../environments";
import { labSecured } from "../../../lab/environments";
import type { Change } from "../../../operations/changes/change";
import { type ChangeReport, NO_CONSEQUENCES } from "../../../operations/changes/report";
import { checkWithoutChanges } from "../../../operations/checks/acceptance";
import type { AcceptanceRow } from "../../../operations/checks/row";
import {
  type DriftReport,
  describePendingSecrets,
  EXIT_DRIFT,
  EXIT_FAILED,
  EXIT_NO_DRIFT,
  exitCodeOf,
  findDrift,
} from "../../../operations/drift/drift";
import { RENDERERS } from "../../../operations/drift/render";
import { inspectContainers } from "../../../operations/platform/containers";
import type { KafkaReport } from "../../../operations/platform/kafka-inventory";
import type { LiveResource } from "../../../operations/platform/open-search-resources";
import type { Run } from "../../../operations/run/run";
import { CommandError } from "../../../operations/terminal/terminal";

jest.mock("../../../operations/checks/acceptance", () => ({
  ...jest.requireActual("../../../operations/checks/acceptance"),
  checkWithoutChanges: jest.fn(),
}));
jest.mock("../../../operations/platform/containers", () => ({ inspectContainers: jest.fn() }));

/** As os-init writes it: SHA-256. */
const FINGERPRINT = "ab12".repeat(16);

const { security: _, ...plaintext } = environments.laptop;

const CHANGE: Change = {
  ...{ stack: "laptop-messaging", address: "docker_container.kafka-1", action: "update" },
  ...{ subject: "container kafka-1", details: ["memory 1 -> 2 MiB"] },
  ...{ destructive: [], warnings: [] },
};
const planOf = (...changes: Change[]): ChangeReport => ({
  ...{ environment: "laptop", against: "the deployed platform", changes, rolls: [] },
  before: { containers: 1, memoryReservationMiB: 1, nodes: {} },
  after: { containers: 1, memoryReservationMiB: 1, nodes: {} },
  memoryBudgetMiB: 100,
  consequences: NO_CONSEQUENCES,
});
const row = (...failures: string[]): AcceptanceRow => ({
  ...{ requirement: "AUT-003", guarantee: "memory reservation is set", failures },
});

interface Found {
  readonly plan?: ChangeReport;
  readonly rows?: readonly AcceptanceRow[];
  readonly kafka?: () => Promise<KafkaReport>;
  readonly live?: readonly LiveResource[];
  readonly exitCode?: number;
  readonly environment?: Environment;
  /** Why the engine did not tell the state of its containers. */
  readonly gone?: string;
}

/** Compares a platform without declared topics and templates. */
function driftOf({
  plan = planOf(),
  rows = [row()],
  kafka = async () => ({ topics: [], users: [] }),
  live = [],
  exitCode = 0,
  environment = plaintext,
  gone,
}: Found) {
  jest.mocked(checkWithoutChanges).mockResolvedValue([...rows]);
  const state = { Name: "/kafka-init", State: { ExitCode: exitCode } };
  jest.mocked(inspectContainers).mockResolvedValue({
    states: gone === undefined ? [state] : [],
    gone: gone === undefined ? [] : [{ description: gone }],
  } as never);
  const run = {
    containers: [{ name: "kafka-init", must_run: false }],
    report: async () => plan,
    platform: {
      environment,
      kafka: { inventory: { report: kafka } },
      openSearch: {
        resources: {
          list: async () => live,
          hasRetention: async () => false,
          readSecurity: async () => ({ user: {}, role: {}, mapping: {} }),
          readSecurityConfiguration: async () => ({}),
        },
      },
    },
  };
  const nothing = { topics: [], applications: [], componentTemplates: [] };
  return findDrift(run as unknown as Run, {
    ...{ ...catalog, ...nothing, ingestPipelines: [], indexTemplates: [] },
  });
}

test("a platform as declared has no drift", async () => {
  const report = await driftOf({});
  expect(exitCodeOf(report)).toBe(EXIT_NO_DRIFT);
  expect(RENDERERS.terminal(report)).toBe('environment "laptop" has no drift');
  expect(RENDERERS.markdown(report)).toBe('environment "laptop" has no drift.\n');
  expect(JSON.parse(RENDERERS.json(report))).toMatchObject({ drift: false, failures: [] });
});

test.each<[string, Found, string]>([
  ["planned changes", { plan: planOf(CHANGE) }, "container kafka-1: updated in place"],
  [
    "guarantees that do not hold",
    { rows: [row("kafka-1: declared 1 MiB, has 2 MiB"), row()] },
    "kafka-1: declared 1 MiB, has 2 MiB",
  ],
  [
    "topics, templates and users that differ",
    { exitCode: 73 },
    "sidecar kafka-init: its last run exited with 73: ",
  ],
])("drift is shown below the heading %s", async (heading, found, line) => {
  const report = await driftOf(found);
  expect(exitCodeOf(report)).toBe(EXIT_DRIFT);
  const [terminal, last] = RENDERERS.terminal(report).split(/\n(?=.*$)/);
  expect(terminal).toMatch(new RegExp(`^${heading}\n\n`));
  expect(terminal).toContain(line);
  expect(last).toMatch(
    /^environment "laptop" has drift: 1 .*\. Run npm run up to deploy the declaration, or declare what is there \(docs\/how-to\/drift\.md\)$/,
  );
  expect(RENDERERS.markdown(report).toLowerCase()).toContain(`\n## ${heading}\n\n`);
  expect(JSON.parse(RENDERERS.json(report)).drift).toBe(true);
});

test("a secured platform is compared with its users and its security configuration too", async () => {
  const { resources, failures } = await driftOf({ environment: labSecured });
  expect(failures).toEqual([]);
  const compared = resources.map(({ resource }) => resource);
  expect(compared).toContain("application/alloy");
  expect(compared).toContain("security/audit.config");
  const { resources: inPlaintext } = await driftOf({});
  expect(inPlaintext).toEqual([]);
});

test("a service that does not answer is a failure, and what is known is shown too", async () => {
  const kafka = async () => {
    throw new CommandError("Kafka, asked through kafka-1: Timed out");
  };
  const silent = await driftOf({ kafka });
  expect(exitCodeOf(silent)).toBe(EXIT_FAILED);
  expect(RENDERERS.terminal(silent)).toBe(
    'not compared\n\nKafka, asked through kafka-1: Timed out\n\nenvironment "laptop" could not be compared as a whole',
  );
  const both = await driftOf({ kafka, plan: planOf(CHANGE) });
  expect(exitCodeOf(both)).toBe(EXIT_FAILED);
  expect(RENDERERS.terminal(both)).toMatch(/could not be compared as a whole; 1 planned change$/);
});

test("an engine that stops answering is a failure, and its sidecars are not taken for fine", async () => {
  const report = await driftOf({ gone: "the Docker engine stopped answering" });
  expect(report.failures).toEqual(["the Docker engine stopped answering"]);
  expect(exitCodeOf(report)).toBe(EXIT_FAILED);
});

test("what is left over is listed with the command that removes it, and is no drift", async () => {
  const report = await driftOf({
    kafka: async () => ({
      topics: [
        {
          ...{ topic: "old", exists: true, isDeclared: false, isApplied: true },
          ...{ partitions: 1, replicationFactor: 3 },
        },
      ],
      users: [],
    }),
    live: [
      { kind: "component-template", name: "base", body: { _meta: { fingerprint: FINGERPRINT } } },
      { kind: "component-template", name: "theirs", body: {} },
    ],
  });
  expect(exitCodeOf(report)).toBe(EXIT_NO_DRIFT);
  expect(RENDERERS.terminal(report)).toBe(
    [
      "left over: 2 resources that Groundwork applied and that are no longer declared",
      "",
      "resource                 details                            remove it with",
      "topic old                1 partition, replication factor 3  npm run inventory -- --remove topic/old",
      "component template base                                     npm run inventory -- --remove component-template/base",
      "",
      'environment "laptop" has no drift',
    ].join("\n"),
  );
  expect(RENDERERS.markdown(report)).toContain(
    "## Left over\n\n- `` topic old (1 partition, replication factor 3) is left over: remove it with npm run inventory -- --remove topic/old ``\n- `` component template base is left over",
  );
  expect(JSON.parse(RENDERERS.json(report)).leftOver).toMatchObject([
    { kind: "topic", name: "old", removal: "npm run inventory -- --remove topic/old" },
    { kind: "component-template", name: "base" },
  ]);
});

test("an application that npm run up removes is drift, and not left over", async () => {
  const report = await driftOf({
    kafka: async () => ({
      topics: [],
      users: [
        {
          ...{ user: "old", isDeclared: false, isMarked: true, hasPassword: true },
          acls: ["Describe on group groundwork.application"],
        },
      ],
    }),
  });
  expect(exitCodeOf(report)).toBe(EXIT_DRIFT);
  expect(report.leftOver).toEqual([]);
});

test("every section shows 50 lines and how many more there are, and JSON has all", () => {
  const lines = Array.from({ length: 70 }, (_, i) => `line ${i + 1}`);
  const report: DriftReport = {
    ...{ environment: "laptop", plan: planOf(), notes: lines, failures: lines },
    guarantees: lines.map((guarantee) => ({ ...row(...lines), guarantee })),
    leftOver: lines.map((name) => ({
      ...{ cluster: "Kafka", kind: "topic", name, details: "", state: "left-over", exists: true },
      removal: "remove it",
    })),
    resources: lines.map((resource) => ({ resource, actual: "differs" })),
  };
  const sections = RENDERERS.markdown(report).split(/^## /m).slice(1);
  expect(sections.map((section) => section.split("\n")[0])).toEqual([
    "Guarantees that do not hold",
    "Topics, templates and users that differ",
    ...["Left over", "Notes", "Not compared"],
  ]);
  for (const section of sections) {
    expect(section.match(/^- /gm)?.length ?? 0).toBeGreaterThanOrEqual(50);
    expect(section).toContain("line 50");
    expect(section).toMatch(/and 20 more( ``)?\n+$/);
    expect(section).not.toMatch(/^- .*line (51|70)\b/m);
  }
  const terminal = RENDERERS.terminal(report);
  for (const heading of ["topics, templates and users that differ", "notes", "not compared"]) {
    const [, shown] = terminal.split(`\n${heading}\n\n`);
    expect(shown.split("\n\n")[0].split("\n").slice(49)).toEqual([
      expect.stringContaining("line 50"),
      "and 20 more",
    ]);
  }
  expect(JSON.parse(RENDERERS.json(report)).notes).toHaveLength(70);
});

test("nothing in Markdown is markup or mentions anybody", () => {
  const report: DriftReport = {
    ...{ environment: "laptop", plan: planOf(), guarantees: [], notes: [], failures: [] },
    leftOver: [],
    resources: [{ resource: "topic orders", actual: "<b>``@everybody``\n# heading" }],
  };
  expect(RENDERERS.markdown(report)).toContain("- `` topic orders: <b>`@everybody` # heading ``\n");
});

describe("secrets that a synth would write", () => {
  const { TF_VAR_grafana_admin_password: given } = process.env;
  const applications = [{ name: "orders" }];
  const pending = (environment: Environment) =>
    describePendingSecrets({ ...environment, name: "drift-test" }, { applications });

  beforeEach(() => {
    delete process.env.TF_VAR_grafana_admin_password;
  });
  afterAll(() => {
    if (given === undefined) {
      delete process.env.TF_VAR_grafana_admin_password;
    } else {
      process.env.TF_VAR_grafana_admin_password = given;
    }
  });

  test("are refused", () => {
    expect(pending(labSecured)).toContainEqual(
      expect.stringMatching(
        /drift-test.*orders\.password is missing, and npm run drift writes no secrets: run npm run up first$/,
      ),
    );
    expect(pending(plaintext)).toEqual([
      "Grafana's admin password in .state/drift-test/ is missing, and npm run drift writes no secrets: run npm run up first",
    ]);
  });

  test("are none in a plaintext environment whose admin password is given", () => {
    process.env.TF_VAR_grafana_admin_password = "a-password";
    expect(pending(plaintext)).toEqual([]);
  });
});
