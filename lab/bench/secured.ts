import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KAFKA_IMAGE } from "../../constructs";
import { PROJECT_ROOT } from "../../operations/synthesis/project";
import { labSecured } from "../environments";
import { copyOfProject, editCopy } from "./copy";
import { timeUp } from "./deploy";
import { type Figure, ROUNDS, ratio } from "./figure";
import { runNpm } from "./run";

/** The application that writes to both clusters. */
const APPLICATION =
  '{ name: "bench", topics: { "infra-events": "write" }, indices: { "bench-*": "write" } }';

const RECORDS = 50_000;
const DOCUMENTS = 20_000;

/** Measures deploy time and application throughput, alternating between a plaintext and a secured lab, always without data. */
export async function benchSecured(): Promise<Figure[]> {
  const figures = { plaintext: emptyFigures(), secured: emptyFigures() };
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of ["plaintext", "secured"] as const) {
      const cwd = projectThatIs(kind);
      const options = { cwd, environment: labSecured.name };
      const { ready, produced, indexed } = figures[kind];
      try {
        ready.push(await timeUp(options));
        const seconds = runApplication(cwd);
        produced.push(seconds.produced);
        indexed.push(seconds.indexed);
        await runNpm("down", { ...options, args: ["--volumes", "--yes"] });
      } finally {
        // All copies share the state folder. The next deploy regenerates the secrets.
        rmSync(join(cwd, ".state", labSecured.name, "secrets"), { recursive: true, force: true });
        rmSync(cwd, { recursive: true });
      }
    }
  }
  const compared = (what: string, of: keyof ReturnType<typeof emptyFigures>, atMost: number) =>
    ratio(`secured / plaintext: ${what}`, figures.secured[of], figures.plaintext[of], atMost);
  return [
    compared("first deploy to ready", "ready", 1.6),
    compared(`a producer of ${RECORDS} records of 1 KiB`, "produced", 2),
    compared(`an indexer of ${DOCUMENTS} documents in bulk`, "indexed", 1.5),
  ];
}

const emptyFigures = () => ({
  ready: [] as number[],
  produced: [] as number[],
  indexed: [] as number[],
});

function projectThatIs(kind: "plaintext" | "secured"): string {
  const copy = copyOfProject();
  editCopy(
    copy,
    "catalog/applications.ts",
    "Application[] = []",
    `Application[] = [${APPLICATION}]`,
  );
  if (kind === "plaintext") {
    editCopy(copy, "lab/environments.ts", '  security: "tls",\n', "");
  }
  return copy;
}

/** Runs the application in a container on the project network, with its credentials. Returns seconds. */
function runApplication(cwd: string): { produced: number; indexed: number } {
  const credentials = (format: string) =>
    execFileSync("npm", ["run", "--silent", "credentials", "--", "bench", "--format", format], {
      cwd,
      encoding: "utf8",
      env: { ...process.env, GROUNDWORK_ENV: labSecured.name },
    });
  const variables = join(cwd, "application.env");
  writeFileSync(variables, credentials("env"), { mode: 0o600 });
  const output = execFileSync(
    "docker",
    [
      ...["run", "--label", "groundwork.trial", "--rm", "--interactive"],
      ...["--network", labSecured.networks.project.name, "--env-file", variables],
      ...["--volume", `${join(PROJECT_ROOT, "lab", "bench", "application.sh")}:/application.sh:ro`],
      ...["--entrypoint", "bash", KAFKA_IMAGE, "/application.sh"],
      ...[RECORDS, DOCUMENTS].map(String),
    ],
    { input: credentials("properties"), encoding: "utf8" },
  );
  return JSON.parse(output);
}
