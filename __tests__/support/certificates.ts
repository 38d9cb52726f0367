import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCa, makeKeyPair } from "../../secrets/certificates";

/** A CA that issues certificates as files. */
export class TestCa {
  static async make(name: string): Promise<TestCa> {
    return new TestCa(await makeCa(name));
  }

  private readonly directory = mkdtempSync(join(tmpdir(), "ca-"));
  readonly certificate = join(this.directory, "ca.crt");

  private constructor(private readonly pem: string) {
    writeFileSync(this.certificate, new X509Certificate(pem).toString());
  }

  /** Writes the key and the certificate of a principal to one file. */
  async issue(principal: string): Promise<string> {
    const file = join(this.directory, `${principal}.pem`);
    writeFileSync(file, await makeKeyPair(this.pem, principal, ["localhost", "127.0.0.1"]));
    return file;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}
