import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KAFKA_IMAGE } from "../../constructs";
import type { Environment } from "../../environments";
import { labSecured } from "../../lab/environments";
import { docker, expectDone, type Finished, freshLab, run, TRIAL } from "./lab";
import { ProjectCopy } from "./project-copy";

const APPLICATIONS = `[
  { name: "shop", topics: { "infra-events": "write" }, indices: { "logs-shop-*": "write" } },
  {
    name: "ledger",
    topics: { "infra-events": "read" },
    consumerGroups: ["ledger"],
    indices: { "logs-shop-*": "read" },
  },
]`;

/** A copy of the project that deploys a secured lab, with two applications: "shop" writes, "ledger" reads. */
export class SecuredProject extends ProjectCopy {
  /** Where its secrets lie. */
  readonly secrets: string;

  constructor({ name }: Environment = labSecured) {
    super();
    this.secrets = join(this.folder, ".state", name, "secrets");
    const from = "applications: readonly Application[] = ";
    this.edit("catalog/applications.ts", `${from}[]`, `${from}${APPLICATIONS}`);
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

  /** Key and certificate of a principal, PEM. */
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

  /** The HTTP status that curl gets, which trusts the CA in ca.pem; 000 without an answer. */
  status(url: string, ...options: string[]): string {
    return this.run(
      ...["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"],
      ...["--cacert", "ca.pem", ...options, url],
    ).output;
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
