import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog } from "../../../catalog";
import type { Application } from "../../../constructs";
import type { Environment } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { labSecured, labThree } from "../../../lab/environments";
import { sayHello } from "../../../operations/hello/hello";
import { Platform } from "../../../operations/platform/platform";
import { readKeyPair } from "../../../secrets/pem";
import { makeKeyPairs } from "../../../secrets/platform-secrets";
import { programsOnPath } from "../../support/programs";
import { ROOT } from "../../support/root";

// Four rounds of bcrypt instead of twelve, which take 256 times as long.
jest.mock("bcryptjs", () => {
  const bcrypt = jest.requireActual("bcryptjs");
  return { ...bcrypt, hash: (password: string) => bcrypt.hash(password, 4) };
});

const APPLICATIONS: readonly Application[] = [
  { name: "shop", topics: { "infra-events": "write" }, indices: { "logs-shop-*": "append" } },
  {
    name: "ledger",
    topics: { "infra-events": "read" },
    consumerGroups: ["ledger"],
    indices: { "logs-*": "read" },
  },
];

const { folder, program } = programsOnPath();
const secrets = mkdtempSync(join(tmpdir(), "hello-"));

beforeAll(async () => {
  process.env.GROUNDWORK_SECRETS = secrets;
  await makeKeyPairs(secrets, labSecured, [{ name: "shop" }, { name: "ledger" }]);
});
afterAll(() => {
  delete process.env.GROUNDWORK_SECRETS;
  rmSync(secrets, { recursive: true });
});

/** What the engine answers if everything works, as cases of a shell script by the name of hello's script. */
const WORKS = {
  "kafka-write.sh": `echo '{"name":"producer_send_success","value":"1.0","offset":17,"partition":2}'`,
  "kafka-read.sh": 'echo "$NUMBER.0"',
  POST: `echo '{"_index":"logs-hello","_id":"-a_b"}'`,
  GET: `echo '{"hits":{"hits":[{"_id":"-a_b"}]}}'`,
  "log.sh": 'echo "hello $NUMBER"',
  loki: `echo '{"data":{"result":[{}]}}'`,
};

/** Has the engine answer. Each call is recorded with its arguments, its engine and its standard input. */
function engine(answers: Partial<typeof WORKS> = {}): void {
  const all = { ...WORKS, ...answers };
  writeFileSync(join(folder, "calls"), "");
  program(
    "docker",
    `printf '%s\\n' "host $DOCKER_HOST" "$@" >>${folder}/calls
case " $* " in *" --interactive "*) cat >>${folder}/input ;; esac
case "$*" in
  *kafka-write.sh*) for NUMBER; do :; done; echo "$NUMBER" >${folder}/number ;;
esac
NUMBER=$(cat ${folder}/number)
case "$*" in
  *" kafka-write.sh "*) ${all["kafka-write.sh"]} ;;
  *" kafka-read.sh "*) ${all["kafka-read.sh"]} ;;
  *" open-search.sh POST "*) ${all.POST} ;;
  *" open-search.sh GET "*) ${all.GET} ;;
  *" log.sh "*) ${all["log.sh"]} ;;
  "exec "*/loki/*) ${all.loki} ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac`,
  );
}

const calls = () => readFileSync(join(folder, "calls"), "utf8");

/** Returns the printed lines, without empty ones, and the error. */
async function hello(
  environment: Environment,
  applications: readonly Application[] = [],
  application?: string,
) {
  const lines: string[] = [];
  const error: Error | undefined = await sayHello(
    new Platform(environment),
    { ...catalog, applications },
    { application, print: (line) => lines.push(...line.split("\n")) },
  ).then(
    () => undefined,
    (reason) => reason,
  );
  return { lines: lines.filter((line) => line !== ""), message: error?.message };
}

beforeEach(() => {
  writeFileSync(join(folder, "input"), "");
  engine();
});

test("every step works without authentication, with the commands and the links", async () => {
  const { lines, message } = await hello(laptop);
  expect(message).toBeUndefined();
  const number = readFileSync(join(folder, "number"), "utf8").trim();
  expect(lines.filter((line) => !line.startsWith(" "))).toEqual([
    "done: write a record to topic infra-events",
    "done: read the record at offset 17 of partition 2",
    "done: index a document in logs-hello",
    "done: find the document in logs-hello",
    "done: write a log line",
    `done: find the log line in Loki, as in Grafana's Explore: {service="hello"} |= "hello ${number}"`,
    "dashboard Kafka: http://localhost:3000/d/groundwork-kafka",
    "dashboard Logs: http://localhost:3000/d/groundwork-logs",
    "dashboard OpenSearch: http://localhost:3000/d/groundwork-opensearch",
    "6 steps done. Connect an application: docs/how-to/application.md",
  ]);
  expect(lines[1]).toBe(
    `  docker run --rm --pull never --network project_net --label groundwork.service=hello --entrypoint sh apache/kafka:4.3.1 -c "$(cat operations/hello/kafka-write.sh)" kafka-write.sh kafka:9092 infra-events ${number}`,
  );
});

test("a printed command does what was done", async () => {
  const { lines } = await hello(laptop);
  const done = calls();
  for (const script of ["kafka-write.sh", "kafka-read.sh", "open-search.sh", "log.sh"]) {
    writeFileSync(join(folder, "calls"), "");
    const [command] = lines.filter((line) => line.includes(`${script})"`));
    execFileSync("/bin/sh", ["-c", command], { cwd: ROOT, env: process.env });
    // The shell strips the last line break of the script.
    const [again] = calls()
      .split(/^host .*$/m)
      .slice(1);
    expect(done.replaceAll("\n\n", "\n")).toContain(again.trim());
  }
});

test("applications log in with credentials that only their standard input has", async () => {
  const { lines, message } = await hello(
    { ...labSecured, excludedServices: undefined },
    APPLICATIONS,
  );
  expect(message).toBeUndefined();
  expect(lines.filter((line) => /^(done|skipped)/.test(line))).toEqual([
    "done: write a record to topic infra-events",
    "done: read the record at offset 17 of partition 2",
    "done: index a document in logs-shop-hello",
    "done: find the document in logs-shop-hello",
    "done: write a log line",
    expect.stringContaining("done: find the log line in Loki"),
  ]);
  const logins = lines.flatMap((line) => /^ {2}(\S+ npx .*?) \|/.exec(line)?.[1] ?? []);
  expect(logins).toEqual([
    "GROUNDWORK_ENV=lab-secured npx groundwork credentials shop --format properties",
    "GROUNDWORK_ENV=lab-secured npx groundwork credentials ledger --format properties",
    "GROUNDWORK_ENV=lab-secured npx groundwork credentials shop --format shell",
    "GROUNDWORK_ENV=lab-secured npx groundwork credentials ledger --format shell",
  ]);
  for (const name of ["shop", "ledger"]) {
    const password = readFileSync(join(secrets, "applications", `${name}.password`), "utf8").trim();
    expect(password.length).toBeGreaterThan(10);
    expect(readFileSync(join(folder, "input"), "utf8")).toContain(password);
    expect(calls()).not.toContain(password);
    expect(lines.join("\n")).not.toContain(password);
  }
});

test("an application with a certificate connects to Kafka's listener for it, with a key that only its standard input has", async () => {
  const [shop, ledger] = APPLICATIONS;
  const withCertificate = { ...shop, authentication: "certificate" } as const;
  await makeKeyPairs(secrets, labSecured, [withCertificate]);
  const { lines, message } = await hello(labSecured, [withCertificate, ledger]);
  expect(message).toBeUndefined();
  expect(lines.flatMap((line) => /kafka-(?:write|read)\.sh (\S+)/.exec(line)?.[1] ?? [])).toEqual([
    ...["kafka:9094", "kafka:9092"],
  ]);
  const { key, chain } = readKeyPair(join(secrets, "applications", "shop.pem"));
  const input = readFileSync(join(folder, "input"), "utf8");
  expect(input).toContain(`CLIENT_KEY_BASE64='${Buffer.from(key).toString("base64")}'\n`);
  expect(input).toContain(`CLIENT_CERTIFICATE_BASE64='${Buffer.from(chain).toString("base64")}'\n`);
  const [, secret] = key.split("\n");
  expect(input).toContain(secret);
  expect(calls() + lines.join("\n")).not.toContain(secret);
});

test("the consumer joins no group of an application", () => {
  const script = readFileSync(join(ROOT, "operations", "hello", "kafka-read.sh"), "utf8");
  expect(script).toContain("grep -v '^group\\.id='");
  expect(script).toContain('--partition "$3" --offset "$4" --max-messages 1');
});

test("what no application may do is skipped with the declaration that allows it", async () => {
  const { lines, message } = await hello(labSecured);
  expect(message).toBeUndefined();
  expect(lines).toEqual([
    'skipped: Kafka: no application may write a topic: add topics: { "infra-events": "readwrite" } to an application in catalog/applications.ts, and run npm run up',
    'skipped: OpenSearch: no application may write an index: add indices: { "logs-hello": "readwrite" } to an application in catalog/applications.ts, and run npm run up',
    "skipped: Loki: loki and alloy: in excludedServices of lab/environments.ts",
    "no dashboards: Grafana is in excludedServices of environment lab-secured",
    "0 steps done, 3 skipped. Connect an application: docs/how-to/application.md",
  ]);
  expect(calls()).toBe("");
});

test("OpenSearch that applications do not reach is skipped, and so are links without an address", async () => {
  const { lines } = await hello({
    ...laptop,
    openSearch: { ...laptop.openSearch, onProjectNetwork: false },
    hostPorts: undefined,
  });
  expect(lines).toContain(
    "skipped: OpenSearch: applications do not reach it: set openSearch.onProjectNetwork to true in environments/laptop.ts",
  );
  expect(lines).toContain(
    "no links: environment laptop has neither grafana.rootUrl nor hostPorts: Grafana is reached in another way",
  );
});

test("a named application writes, unless it may not", async () => {
  const { lines } = await hello(labSecured, APPLICATIONS, "ledger");
  expect(lines[0]).toBe(
    'skipped: Kafka: application ledger may not write a topic: add topics: { "infra-events": "readwrite" } to it in catalog/applications.ts, and run npm run up',
  );
  expect((await hello(laptop, APPLICATIONS, "shop")).lines.join()).toContain(
    "credentials shop --format properties",
  );
  expect((await hello(labSecured, APPLICATIONS, "shpo")).message).toBe(
    'application "shpo" is not declared: add it to catalog/applications.ts, or use a declared one (shop, ledger)',
  );
});

test("on several machines, the engine of the image's node runs a command", async () => {
  const { lines } = await hello(labThree);
  expect(lines[1]).toMatch(/^ {2}DOCKER_HOST=unix:\/\/\/run\/groundwork-lab\/a\.sock docker run /);
  expect(calls()).toMatch(/^host unix:\/\/\/run\/groundwork-lab\/a\.sock$/m);
});

test.each<[string, Partial<typeof WORKS>, string]>([
  [
    "the image is missing",
    { "kafka-write.sh": 'echo "No such image: apache/kafka:4.3.1" >&2; exit 125' },
    "1 of 5 steps failed:\n- write a record to topic infra-events: No such image: apache/kafka:4.3.1; deploy the platform first: npm run up",
  ],
  [
    "Kafka refuses the record, which its client does not tell in the exit code",
    {
      "kafka-write.sh": `echo '{"name":"producer_send_error","exception":"class X","message":"Not authorized to access topics: [infra-events]"}'`,
    },
    "1 of 5 steps failed:\n- write a record to topic infra-events: Not authorized to access topics: [infra-events]; deploy the declared permissions and credentials: npm run up",
  ],
  [
    "another record is there",
    { "kafka-read.sh": "echo 5.0" },
    "1 of 6 steps failed:\n- read the record at offset 17 of partition 2: 5.0; see docs/when-something-fails.md#an-application-cannot-connect",
  ],
  [
    "OpenSearch refuses the document and finds nothing",
    { POST: `echo '{"error":"mapping"}'; echo "curl: (22) error: 400" >&2; exit 22` },
    '1 of 5 steps failed:\n- index a document in logs-hello: {"error":"mapping"}\ncurl: (22) error: 400; see docs/when-something-fails.md#an-application-cannot-connect',
  ],
  [
    "the document is not found",
    { GET: `echo '{"hits":{"hits":[]}}'` },
    '1 of 6 steps failed:\n- find the document in logs-hello: {"hits":{"hits":[]}}; see docs/when-something-fails.md#an-application-cannot-connect',
  ],
])(
  "it fails with the server's words and the remedy if %s, and tries the rest",
  async (_, answers, message) => {
    engine(answers);
    const failed = await hello(laptop);
    expect(failed.message).toBe(message);
    expect(failed.lines.filter((line) => line.startsWith("failed: "))).toHaveLength(1);
    expect(failed.lines.at(-1)).toContain("dashboard OpenSearch");
  },
);
