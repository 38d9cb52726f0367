import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { catalog } from "../catalog";
import { laptop } from "../environments/laptop";
import { copyOfProject, editCopy } from "../lab/bench/copy";
import { lab } from "../lab/environments";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { synthesizeProject, synthesizeTree } from "../operations/synthesis/tree";
import { synthesizePlatform } from "../stacks/platform";
import type { Json } from "./support/platform";

const APP = ["-r", "./tools/register.js", "main.ts"];

/** Returns node's output lines for a project with these edits, for each of these arguments. */
async function errorsOf(
  edits: readonly (readonly [file: string, from: string, to: string])[],
  ...programs: (readonly string[])[]
): Promise<string[][]> {
  const copy = copyOfProject();
  try {
    for (const [file, from, to] of edits) {
      editCopy(copy, file, from, to);
    }
    return await Promise.all(
      programs.map(async (program) => {
        const { code, stderr } = await promisify(execFile)(process.execPath, program, {
          cwd: copy,
          env: { ...process.env, GROUNDWORK_ENV: "lab", CDKTF_OUTDIR: join(copy, "out") },
        }).catch((error) => error);
        expect(code).toBe(1);
        return stderr.trim().split("\n");
      }),
    );
  } finally {
    rmSync(copy, { recursive: true });
  }
}

test("the app and a command report every mistake in the declarations, a line for each, and nothing else", async () => {
  const said = await errorsOf(
    [
      [
        "lab/environments.ts",
        'name: "lab",',
        'name: "lab", memoryscale: 2, kafka: { brokers: "3" as never },',
      ],
      ["catalog/topics.ts", '"infra-events", partitions: 3', '"infra events", partitions: 0'],
      [
        "catalog/topics.ts",
        'name: "application-logs",',
        'name: "application-logs", replicationfactor: 2,',
      ],
      [
        "catalog/applications.ts",
        "Application[] = []",
        'Application[] = [{ name: "shop", topics: { "infra-events": "wirte" } } as never]',
      ],
      ["catalog/notifications.ts", "addresses:", "adresses:"],
      ["catalog/index-templates/logs_template.json", '"index_patterns"', '"index_pattern"'],
      ["alerts/kafka.yml", "    for: ", "    four: "],
      ["dashboards/Messaging/kafka.json", '"uid": "groundwork-kafka"', '"uid": ""'],
    ],
    APP,
    ["commands/groundwork.mjs", "credentials"],
  );
  expect(said[0]).toEqual([
    'environment "lab": kafka.brokers is "3": it must be a number',
    expect.stringMatching(
      /^environment "lab" has an unknown property "memoryscale": did you mean "memoryScale"\? allowed: name, /,
    ),
    'index template catalog/index-templates/logs_template.json has an unknown property "index_pattern": did you mean "index_patterns"? allowed: index_patterns, priority, template, composed_of, version, data_stream, _meta',
    'index template catalog/index-templates/logs_template.json has no index_patterns: list the index names that it applies to, such as ["logs-*"]',
    'dashboard dashboards/Messaging/kafka.json: the uid "" is invalid: use 1 to 40 letters, digits, "-" and "_"',
    'alert "KafkaConsumerLag" in alerts/kafka.yml has an unsupported property "four": did you mean "for"? allowed: alert, expr, for, keep_firing_for, labels, annotations',
    'topic name "infra events" is invalid: use 1 to 249 characters of a-z, A-Z, 0-9, ".", "_" and "-", but not "." or ".."',
    'topic "infra events" has partitions 0: it must be a whole number from 1 to 2147483647',
    'topic "application-logs" has an unknown property "replicationfactor": did you mean "replicationFactor"? allowed: name, partitions, replicationFactor, configs, onDrift',
    'application "shop": topics.infra-events is "wirte": it must be "read", "write" or "readwrite"',
    'contact point "operators": email.addresses is missing: it must be a list',
    'contact point "operators": email has an unknown property "adresses": did you mean "addresses"? allowed: addresses',
  ]);
  expect(said[1]).toEqual(said[0]);
});

test("the app reports what is invalid in every stack", async () => {
  const [said] = await errorsOf(
    [
      ["catalog/topics.ts", "partitions: 3", "partitions: 3, replicationFactor: 4"],
      ["catalog/topics.ts", "partitions: 6", "partitions: 6, replicationFactor: 5"],
      ["lab/environments.ts", "raiseUlimits: false", "raiseUlimits: false, nodes: 2"],
    ],
    APP,
  );
  expect(said).toEqual([
    "an OpenSearch cluster of 2 nodes cannot elect a cluster manager after it loses one: declare 1 node, or at least 3 (at lab-data/opensearch)",
    'topic "infra-events" has replicationFactor 4, but the cluster has 3 brokers: it must be from 1 to 3; lower it, or add brokers to the environment (at lab-messaging/kafka-init)',
    'topic "application-logs" has replicationFactor 5, but the cluster has 3 brokers: it must be from 1 to 3; lower it, or add brokers to the environment (at lab-messaging/kafka-init)',
  ]);
});

test("a synth allows Terraform to destroy volumes if requested, and the next synth in the process does not", async () => {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  const protections = async (props: { readonly preventDestroy?: boolean }) => {
    await synthesizePlatform(laptop, catalog, { outdir, secrets: false, ...props });
    const file = join(outdir, "stacks", "laptop-storage", "cdk.tf.json");
    const { resource } = JSON.parse(readFileSync(file, "utf8"));
    const volumes = Object.values<Json>(resource.docker_volume);
    return [...new Set(volumes.map(({ lifecycle }) => lifecycle.prevent_destroy))];
  };
  try {
    expect(await protections({ preventDestroy: false })).toEqual([false]);
    expect(await protections({})).toEqual([true]);
  } finally {
    rmSync(outdir, { recursive: true });
  }
});

test("a synth closes its output to other users, since plans have the variables", async () => {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  try {
    chmodSync(outdir, 0o755);
    await synthesizePlatform(laptop, catalog, { outdir, secrets: false });
    expect(statSync(outdir).mode & 0o777).toBe(0o700);
  } finally {
    rmSync(outdir, { recursive: true });
  }
});

test("the app synthesizes the same as a command, and a preview is the same with any engine", async () => {
  process.env.DOCKER_HOST = "unix:///run/user/1000/docker.sock";
  try {
    expect(await synthesizeTree(PROJECT_ROOT, "lab")).toEqual(await synthesizeProject(lab));
  } finally {
    delete process.env.DOCKER_HOST;
  }
});
