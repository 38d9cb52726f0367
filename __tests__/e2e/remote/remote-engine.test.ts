import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker, expectDone, freshLab, npm, OF_THE_LAB } from "../../support/lab";

const SUPPORT = join(__dirname, "..", "..", "support");

let folder: string;
let proxy: ChildProcess;
/** The variables that a user sets to reach the engine. */
let tls: NodeJS.ProcessEnv;
let ssh: NodeJS.ProcessEnv;

beforeAll(async () => {
  await freshLab();
  folder = mkdtempSync(join(tmpdir(), "remote-engine-"));
  execFileSync(join(SUPPORT, "remote-engine.sh"), [folder]);
  proxy = spawn("node", [join(SUPPORT, "tls-engine.mjs"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(proxy.stdout as NodeJS.ReadableStream, "data");
  tls = {
    DOCKER_HOST: `tcp://127.0.0.1:${String(port).trim()}`,
    DOCKER_TLS_VERIFY: "1",
    DOCKER_CERT_PATH: folder,
  };
  ssh = { DOCKER_HOST: "ssh://root@engine", PATH: `${folder}/bin:${process.env.PATH}` };
});

afterAll(() => {
  proxy.kill();
  process.kill(Number(readFileSync(join(folder, "sshd.pid"), "utf8")));
  rmSync(folder, { recursive: true });
});

describe("over TCP with TLS", () => {
  test("a client without a certificate is refused, and doctor says so", () => {
    const { exitCode, output } = npm("doctor", [], { DOCKER_HOST: tls.DOCKER_HOST });
    expect(exitCode).toBe(1);
    expect(output).toContain("no Docker engine answers: ");
  });

  test("npm run doctor reports the engine's own facts", () => {
    const finished = npm("doctor", [], tls);
    expectDone(finished);
    expect(finished.output).toMatch(/^disk +yes +not reported by this engine$/m);
  });

  test("npm run up deploys everything and checks it", () => {
    const finished = npm("up", [], tls);
    expectDone(finished);
    for (const requirement of ["AUT-001", "AUT-002", "AUT-003", "NFR-VIS", "NFR-IDEM"]) {
      expect(finished.output).toMatch(new RegExp(`^${requirement} +yes `, "m"));
    }
  });

  test("npm run plan has nothing to do", () => {
    expectDone(npm("plan", [], tls));
  });
});

describe("over ssh", () => {
  test("npm run doctor and plan find what was deployed", () => {
    expectDone(npm("doctor", [], ssh));
    expectDone(npm("plan", [], ssh));
  });

  test("npm run up creates a missing container again", () => {
    docker("rm", "os-init");
    const finished = npm("up", [], ssh);
    expectDone(finished);
    expect(finished.output).toMatch(/data: os-init: created after/);
  });

  test("npm run down stops everything", () => {
    expectDone(npm("down", [], ssh));
    expect(docker("ps", "--all", "--quiet", ...OF_THE_LAB)).toBe("");
    expect(docker("volume", "ls", "--quiet", ...OF_THE_LAB).split("\n")).toHaveLength(10);
  });
});
