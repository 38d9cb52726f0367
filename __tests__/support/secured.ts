import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { KAFKA_IMAGE } from "../../constructs";
import type { Environment } from "../../environments";
import { copyOfProject, editCopy } from "../../lab/bench/copy";
import { labSecured } from "../../lab/environments";
import { docker, type Finished, run, TRIAL } from "./lab";

const APPLICATIONS = `[
  { name: "shop", topics: { "infra-events": "write" }, indices: { "logs-shop-*": "write" } },
  {
    name: "ledger",
    topics: { "infra-events": "read" },
    consumerGroups: ["ledger"],
    indices: { "logs-shop-*": "read" },
  },
]`;

/** A copy of the project that deploys a secured lab, with two applications: shop writes, ledger reads. */
export class SecuredProject {
  readonly folder = copyOfProject();
  /** Where its secrets lie. */
  readonly secrets: string;

  constructor({ name }: Environment = labSecured) {
    this.secrets = join(this.folder, "environments", "secrets", name);
    const from = "applications: readonly Application[] = ";
    this.edit("catalog/applications.ts", `${from}[]`, `${from}${APPLICATIONS}`);
  }

  /** A command in the copy, as its npm script runs it. */
  command(script: string, ...args: string[]): Finished {
    return run("node", ["commands/groundwork.mjs", script, ...args], {}, this.folder);
  }

  /** Changes a file of the copy. */
  edit(file: string, from: string, to: string): void {
    editCopy(this.folder, file, from, to);
  }

  /** What an application is given. */
  credentials(application: string, format: string): string {
    return this.command("credentials", application, "--format", format).output;
  }

  passwordOf(application: string): string {
    return readFileSync(
      join(this.secrets, "applications", `${application}.password`),
      "utf8",
    ).trim();
  }

  keyPairOf(principal: string): string {
    return readFileSync(join(this.secrets, "key-pairs", `${principal}.pem`), "utf8");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A container of somebody's, on a network of the platform. */
export class Guest {
  private readonly at: readonly string[];

  constructor(
    readonly name: string,
    network: string,
    /** Address of the engine; the lab's of one machine unless told. */
    engine?: string,
  ) {
    this.at = engine ? ["--host", engine] : [];
    docker(
      ...[
        ...this.at,
        "run",
        ...TRIAL,
        "--detach",
        "--name",
        name,
        "--network",
        network,
        "--workdir",
        "/tmp",
      ],
      ...["--entrypoint", "sleep", KAFKA_IMAGE, "infinity"],
    );
  }

  run(...args: string[]): Finished {
    return run("docker", [...this.at, "exec", this.name, ...args]);
  }

  put(file: string, content: string): void {
    this.run("sh", "-c", 'printf %s "$1" >"$0"', `/tmp/${file}`, content);
  }

  /** A file of this machine. */
  copy(from: string, file: string): void {
    docker(...this.at, "cp", from, `${this.name}:/tmp/${file}`);
  }

  remove(): void {
    docker(...this.at, "rm", "--force", this.name);
  }
}
