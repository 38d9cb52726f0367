import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Ask } from "./grown-opensearch";
import { docker, expectDone, type Finished, NODES } from "./lab";
import {
  expectAllDocuments,
  expectAllRecords,
  goneOneByOne,
  type Load,
  type Login,
  underLoad,
} from "./load";
import type { Json } from "./platform";
import { deployedSecuredLab, expectReloaded, Guest, type SecuredProject } from "./secured";

/** Application "shop", which writes to a secured lab while a test changes its clusters. */
export class SampleApplication {
  private readonly loginFile = join(mkdtempSync(join(tmpdir(), "groundwork-login-")), "login");
  private container?: Guest;
  private administrator?: Guest;

  constructor(readonly project: SecuredProject) {}

  /** The container on the project network, which starts at its first use. */
  get client(): Guest {
    this.container ??= new Guest("client", "project_net");
    return this.container;
  }

  /** Reads the current credentials, also for the container. */
  login(): Login {
    const { loginFile, project } = this;
    writeFileSync(loginFile, `shop:${project.passwordOf("shop")}`);
    const caBundle = project.credentials("shop", "ca");
    this.client.put("ca.pem", caBundle);
    return { properties: project.credentials("shop", "properties"), loginFile, caBundle };
  }

  /** Deploys while it writes to an index of this name. */
  async deployUnderLoad(name: string): Promise<{ deploy: Finished; load: Load }> {
    let deploy: Finished | undefined;
    const load = await underLoad(
      name,
      () => {
        deploy = this.project.command("up");
      },
      this.login(),
    );
    expectDone(deploy);
    return { deploy: deploy as Finished, load };
  }

  expectNothingLost(load: Load, atLeast?: number): void {
    expectAllRecords(load, atLeast);
    expectAllDocuments(load, (method, path) => this.ask(method, path), atLeast);
  }

  expectRolled(load: Load): void {
    for (const [cluster, nodes] of Object.entries(NODES)) {
      expect(goneOneByOne(load, cluster)).toEqual(nodes);
    }
  }

  /** Returns when each node of both clusters was started. */
  startedAt(): string[] {
    const nodes = Object.values(NODES).flat();
    return docker("inspect", "--format", "{{.Name}} {{.State.StartedAt}}", ...nodes).split("\n");
  }

  /** Asserts that every listener presents the current certificate of its node. */
  expectReloaded(): void {
    expectReloaded(this.project, this.client);
  }

  /** Returns the issuer of the certificate that OpenSearch presents to clients. */
  issuer(): string | undefined {
    const { output } = this.client.run(
      ...["sh", "-c", "openssl s_client -connect opensearch:9200 </dev/null 2>&1"],
    );
    return /issuer=CN ?= ?(.*)/.exec(output)?.[1];
  }

  /** Sends a request to OpenSearch as the administrator. */
  readonly administer: Ask = (method, path, body) => {
    this.administrator ??= this.newAdministrator();
    const json = ["--header", "Content-Type: application/json", "--data", JSON.stringify(body)];
    const { output } = this.administrator.run(
      ...["curl", "--silent", "--cacert", "ca.pem", "--cert", "os-admin.pem", "--request", method],
      ...(body === undefined ? [] : json),
      `https://opensearch-1:9200${path}`,
    );
    return JSON.parse(output);
  };

  private newAdministrator(): Guest {
    const administrator = new Guest("administrator", "infra_net");
    administrator.put("ca.pem", this.login().caBundle);
    administrator.put("os-admin.pem", this.project.keyPairOf("os-admin"));
    return administrator;
  }

  remove(): void {
    rmSync(dirname(this.loginFile), { recursive: true });
  }

  /** Sends a request to OpenSearch as the application with the permission: "shop" writes, "ledger" reads. */
  private ask(method: string, path: string): Json {
    const who = method === "GET" ? "ledger" : "shop";
    const { output } = this.client.run(
      ...["curl", "--silent", "--cacert", "/tmp/ca.pem", "--request", method],
      ...["--user", `${who}:${this.project.passwordOf(who)}`, `https://opensearch:9200${path}`],
    );
    return JSON.parse(output);
  }
}

/** Deploys a secured lab with its sample application before the tests of a file, and removes both after them. */
export function deployedSampleApplication(
  deploy?: Parameters<typeof deployedSecuredLab>[0],
): SampleApplication {
  const application = new SampleApplication(deployedSecuredLab(deploy));
  afterAll(() => application.remove());
  return application;
}
