import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KAFKA_IMAGE } from "../../constructs";
import type { Environment } from "../../environments";
import { labSecured } from "../../lab/environments";
import { docker, expectDone, type Finished, freshLab, run, TRIAL } from "./lab";
import { ProjectCopy } from "./project-copy";

const APPLICATIONS = `[
  {
    name: "shop",
    topics: { "infra-events": "write" },
    indices: {
      ...{ "logs-shop-*": "write", "application-logs": "write" },
      "closed-*": { access: "read", documents: { term: { team: "shop" } }, fields: ["team", "message"] },
    },
  },
  {
    name: "ledger",
    topics: { "infra-events": "read" },
    consumerGroups: ["ledger"],
    quotas: { consumeBytesPerSecond: 100_000_000, requestPercent: 150 },
    indices: {
      ...{ "logs-shop-*": "read", "ledger-*": "append" },
      ...{ "application-logs": "append", "application-log*": "read", "closed-*": "manage" },
    },
  },
]`;

/** A copy of the project that deploys a secured lab, with two applications: "shop" writes, "ledger" reads and appends. */
export class SecuredProject extends ProjectCopy {
  /** The folder of its secrets. */
  readonly secrets: string;

  constructor({ name }: Environment = labSecured) {
    super();
    this.secrets = join(this.folder, ".state", name, "secrets");
    const from = "applications: readonly Application[] = ";
    this.edit("catalog/applications.ts", `${from}[]`, `${from}${APPLICATIONS}`);
  }

  /** Returns the credentials of an application. */
  credentials(application: string, format: string): string {
    return this.command("credentials", application, "--format", format).output;
  }

  passwordOf(application: string): string {
    return readFileSync(
      join(this.secrets, "applications", `${application}.password`),
      "utf8",
    ).trim();
  }

  /** Returns the key and certificate of a principal, PEM. */
  keyPairOf(principal: string): string {
    return readFileSync(join(this.secrets, "key-pairs", `${principal}.pem`), "utf8");
  }
}

/** Deploys a secured lab before the tests of a file, and removes the copy of the project after them. */
export function deployedSecuredLab(
  deploy: (project: SecuredProject) => Finished = (project) => project.command("up"),
): SecuredProject {
  const project = new SecuredProject();
  beforeAll(async () => {
    await freshLab(labSecured);
    expectDone(deploy(project));
  });
  afterAll(() => project.remove());
  return project;
}

/** A container on a network of the platform that is not part of it. */
export class Guest {
  private readonly at: readonly string[];

  constructor(
    readonly name: string,
    network: string,
    /** The address of the engine. @default - the lab's */
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

  /** Returns the HTTP status of a request with curl, which trusts the CA in ca.pem. 000 means no answer. */
  status(url: string, ...options: string[]): string {
    return this.run(
      ...["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"],
      ...["--cacert", "ca.pem", ...options, url],
    ).output;
  }

  put(file: string, content: string): void {
    this.run("sh", "-c", 'printf %s "$1" >"$0"', `/tmp/${file}`, content);
  }

  /** Copies a file of this machine to the container. */
  copy(from: string, file: string): void {
    docker(...this.at, "cp", from, `${this.name}:/tmp/${file}`);
  }

  remove(): void {
    docker(...this.at, "rm", "--force", this.name);
  }
}
