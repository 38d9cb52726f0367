import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { labSecured } from "../../lab/environments";
import { expectDone, type Finished, freshLab } from "./lab";
import { expectAllDocuments, expectAllRecords, goneOneByOne, type Load, type Login } from "./load";
import type { Json } from "./platform";
import { Guest, SecuredProject } from "./secured";

/** The application "shop" of a secured lab, which writes for as long as something is done to the clusters. */
export class Shop {
  readonly client = new Guest("client", "project_net");
  private readonly loginFile = join(mkdtempSync(join(tmpdir(), "groundwork-login-")), "login");

  private constructor(readonly project: SecuredProject) {}

  /** On a lab of its own. */
  static async open(
    deploy: (project: SecuredProject) => Finished = (project) => project.command("up"),
  ): Promise<Shop> {
    await freshLab(labSecured);
    const project = new SecuredProject();
    expectDone(deploy(project));
    return new Shop(project);
  }

  /** With what shop has now, also for its client on the project network. */
  login(): Login {
    const { loginFile, project } = this;
    writeFileSync(loginFile, `shop:${project.passwordOf("shop")}`);
    const caBundle = project.credentials("shop", "ca");
    this.client.put("ca.pem", caBundle);
    return { properties: project.credentials("shop", "properties"), loginFile, caBundle };
  }

  expectNothingLost(load: Load, atLeast?: number): void {
    expectAllRecords(load, atLeast);
    expectAllDocuments(load, (method, path) => this.ask(method, path), atLeast);
  }

  expectRolled(load: Load): void {
    for (const cluster of ["opensearch", "kafka"]) {
      expect(goneOneByOne(load, cluster)).toEqual([1, 2, 3].map((i) => `${cluster}-${i}`));
    }
  }

  /** What a server shows to its clients. */
  issuer(): string | undefined {
    const { output } = this.client.run(
      ...["sh", "-c", "openssl s_client -connect opensearch:9200 </dev/null 2>&1"],
    );
    return /issuer=CN ?= ?(.*)/.exec(output)?.[1];
  }

  remove(): void {
    this.client.remove();
    rmSync(dirname(this.loginFile), { recursive: true });
    this.project.remove();
  }

  /** As an application that may: shop refreshes what it writes, ledger reads. */
  private ask(method: string, path: string): Json {
    const who = method === "GET" ? "ledger" : "shop";
    const { output } = this.client.run(
      ...["curl", "--silent", "--cacert", "/tmp/ca.pem", "--request", method],
      ...["--user", `${who}:${this.project.passwordOf(who)}`, `https://opensearch:9200${path}`],
    );
    return JSON.parse(output);
  }
}
