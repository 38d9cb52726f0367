import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Credentials } from "../../../operations/credentials/credentials";
import { type Format, RENDERERS } from "../../../operations/credentials/formats";
import { KafkaHarness } from "../../support/fake-kafka";
import { issue, keyAs } from "../../support/issued";
import { passwords } from "../../support/passwords";
import { INSTALLED_SHELLS } from "../../support/sidecar";

const folder = mkdtempSync(join(tmpdir(), "formats-"));
const bundle: string[] = [];
let harness: KafkaHarness;
beforeAll(async () => {
  harness = await KafkaHarness.start();
  for (const name of ["old", "new"]) {
    bundle.push((await issue({ name, isCa: true })).certificate);
  }
});
afterAll(async () => {
  await harness.stop();
  rmSync(folder, { recursive: true });
});

const credentials = (password: string): Credentials => ({
  application: "shop",
  kafka: { bootstrapServers: "kafka:9092" },
  openSearch: { url: "https://opensearch:9200" },
  login: { user: "shop", password, caBundle: bundle.join("") },
  consumerGroup: "shop\\u0041:#!=$HOME`\"'",
});

/** Writes the credentials with each password to a file. Returns the paths. */
const write = (format: Format, all: readonly string[]) =>
  all.map((password, i) => {
    const file = join(folder, `${i}.${format}`);
    writeFileSync(file, RENDERERS[format](credentials(password)));
    return file;
  });

test("Kafka's client reads user, password, group and CAs in client.properties", async () => {
  const all = passwords(300);
  const read = await harness.read("properties", write("properties", all));
  expect(read).toEqual(
    all.map((password) => ({
      group: credentials("").consumerGroup,
      user: "shop",
      password,
      subjects: expect.arrayContaining(["CN=old", "CN=new"]),
    })),
  );
});

test("Kafka's client reads the key, the certificate and the CAs of an application with a certificate", async () => {
  const issued = await issue({ name: "shop" });
  const file = join(folder, "certificate.properties");
  const { login, ...others } = credentials("");
  writeFileSync(
    file,
    RENDERERS.properties({
      ...others,
      login: {
        ...{ user: "shop", caBundle: login?.caBundle ?? "", key: keyAs("pkcs8", issued) },
        ...{ certificate: issued.certificate, expires: new Date() },
      },
    }),
  );
  const [read] = await harness.read("properties", [file]);
  expect(read).toEqual({
    ...{ group: credentials("").consumerGroup, user: "CN=shop", hasKey: true },
    subjects: expect.arrayContaining(["CN=old", "CN=new"]),
  });
});

test("client.properties is ASCII, as Java expects", () => {
  for (const password of passwords(50)) {
    expect(RENDERERS.properties(credentials(password))).toMatch(/^[\n -~]*$/);
  }
});

describe.each(INSTALLED_SHELLS)("%s", (_, shell) => {
  test("reads every variable of the format shell, also for its children", () => {
    const all = passwords(100);
    const files = write("shell", all);
    const script = files.map(
      (file) => `. '${file}'; printenv KAFKA_PASSWORD KAFKA_GROUP_ID CA_BASE64`,
    );
    const [program, ...options] = shell;
    const { stdout, stderr } = spawnSync(program, [...options, "-c", script.join("\n")]);
    expect(stderr.toString()).toBe("");
    expect(stdout.toString().split("\n").slice(0, -1)).toEqual(
      all.flatMap((password) => [
        password,
        credentials("").consumerGroup,
        Buffer.from(bundle.join("")).toString("base64"),
      ]),
    );
  });
});

/** Reads a file as docker run --env-file does: no quotes, no escapes, a value ends with its line. */
function readAsDocker(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).map((line) => line.trimStart());
  return Object.fromEntries(
    lines
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

test("docker run reads every variable of the format env", () => {
  for (const password of passwords(300)) {
    expect(readAsDocker(RENDERERS.env(credentials(password)))).toMatchObject({
      KAFKA_PASSWORD: password,
      OPENSEARCH_PASSWORD: password,
      KAFKA_GROUP_ID: credentials("").consumerGroup,
    });
  }
});
