import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { makeCa, makeKeyPair } from "../../../secrets/certificates";
import { certificatesIn } from "../../../secrets/secret-files";
import { buildAgain, buildTests, CERTIFICATE_RELOAD } from "../../support/fake-kafka";

const folder = mkdtempSync(join(tmpdir(), "certificate-reload-"));
afterAll(() => rmSync(folder, { recursive: true }));

let ca: string;
let classPath: string;
beforeAll(async () => {
  ca = await makeCa("test");
  const { libraries, jar } = await buildTests(CERTIFICATE_RELOAD);
  classPath = [`${CERTIFICATE_RELOAD}.jar`, jar, join(libraries, "*")].join(":");
});

const java = (main: string, ...args: string[]) =>
  spawn("java", ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath, main, ...args]);
const certificateOf = (pem: string) => new X509Certificate(certificatesIn(pem)[0]);

test("certificate-reload.jar is what its sources compile to, byte for byte", async () => {
  // Differs? npm run jar
  const again = readFileSync(await buildAgain(CERTIFICATE_RELOAD));
  expect(again.equals(readFileSync(`${CERTIFICATE_RELOAD}.jar`))).toBe(true);
});

test("a broker reads its certificates again for the next connection, and keeps the old ones if a file is broken", async () => {
  const [keyStore, trustStore] = ["keystore.pem", "truststore.pem"].map((name) =>
    join(folder, name),
  );
  const replace = (file: string, content: string) => {
    writeFileSync(`${file}.new`, content);
    renameSync(`${file}.new`, file);
  };
  const [first, second] = [
    await makeKeyPair(ca, "kafka-1", ["kafka-1"]),
    await makeKeyPair(ca, "kafka-1", ["kafka-1"]),
  ];
  const serial = (pem: string) => certificateOf(pem).serialNumber.toLowerCase().replace(/^0+/, "");
  replace(keyStore, first);
  replace(trustStore, certificatesIn(ca)[0]);
  const broker = java("Reload", keyStore, trustStore);
  try {
    const answers = createInterface(broker.stdout)[Symbol.asyncIterator]();
    const connect = async () => {
      broker.stdin.write("connect\n");
      return (await answers.next()).value;
    };
    expect(await connect()).toBe(`${serial(first)} 1`);
    replace(keyStore, second);
    expect(await connect()).toBe(`${serial(second)} 1`);
    replace(trustStore, [ca, await makeCa("next")].map((pem) => certificatesIn(pem)[0]).join(""));
    expect(await connect()).toBe(`${serial(second)} 2`);
    replace(keyStore, "no PEM");
    expect(await connect()).toBe(`${serial(second)} 2`);
    rmSync(keyStore);
    expect(await connect()).toBe(`${serial(second)} 2`);
    replace(keyStore, first);
    expect(await connect()).toBe(`${serial(first)} 2`);
  } finally {
    broker.kill();
  }
});

/** Returns what Presented prints of servers with these options, by their order. */
async function presented(bundle: string, ...servers: (TlsOptions | undefined)[]) {
  const listening = await Promise.all(
    servers.map(
      (options) =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = options
            ? createTlsServer(options)
            : createServer((socket) => socket.end("not TLS"));
          server.on("tlsClientError", () => undefined);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  try {
    const addresses = listening.map(
      (server) => `127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    const keyPair = join(folder, "own.pem");
    writeFileSync(keyPair, await makeKeyPair(ca, "kafka-2", []));
    const program = java("Presented", keyPair, ...addresses);
    program.stdin.end(bundle);
    let output = "";
    for await (const chunk of program.stdout) {
      output += chunk;
    }
    const lines = output.trimEnd().split("\n");
    expect(lines.map((line) => line.split("\t")[0])).toEqual(addresses);
    return lines.map((line) => line.split("\t").slice(1));
  } finally {
    for (const server of listening) {
      server.close();
    }
  }
}

test("Presented prints the certificate of each listener, the CAs that it accepts if they are others, and why there is no certificate", async () => {
  const pair = await makeKeyPair(ca, "kafka-1", ["kafka-1"]);
  const [own, other] = [ca, await makeCa("other")].map((pem) => certificatesIn(pem)[0]);
  const [, cn] = /CN=(.*)/.exec(new X509Certificate(other).subject) ?? [];
  const options = { key: pair, cert: pair };
  const fingerprint = certificateOf(pair).fingerprint256;
  expect(
    await presented(
      own,
      options,
      { ...options, requestCert: true, ca: own, maxVersion: "TLSv1.2" },
      { ...options, requestCert: true, ca: other },
      undefined,
    ),
  ).toEqual([
    [fingerprint, ""],
    [fingerprint, ""],
    [fingerprint, `CN=${cn}`],
    ["", expect.stringContaining("Exception")],
  ]);
});
