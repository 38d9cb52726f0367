import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAuthority, makeIdentity } from "../../secrets/certificates";

/** An authority of certificates, as files. */
export class TestAuthority {
  static async make(name: string): Promise<TestAuthority> {
    return new TestAuthority(await makeAuthority(name));
  }

  private readonly directory = mkdtempSync(join(tmpdir(), "authority-"));
  readonly certificate = join(this.directory, "authority.crt");

  private constructor(private readonly pem: string) {
    writeFileSync(this.certificate, new X509Certificate(pem).toString());
  }

  /** The key and the certificate of a principal on this machine, in one file. */
  async issue(principal: string): Promise<string> {
    const file = join(this.directory, `${principal}.pem`);
    writeFileSync(file, await makeIdentity(this.pem, principal, ["localhost", "127.0.0.1"]));
    return file;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}
