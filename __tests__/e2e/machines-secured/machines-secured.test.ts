import { expectNoChanges, KAFKA, MACHINES } from "../../support/machines";
import { packetsWhile } from "../../support/packet-capture";
import { Guest } from "../../support/secured";
import { SecuredMachines } from "../../support/secured-machines";

let platform: SecuredMachines;

beforeAll(async () => {
  platform = await SecuredMachines.deploy();
  for (const name of ["shop", "ledger"]) {
    platform.visitors.put(`${name}.properties`, platform.project.credentials(name, "properties"));
  }
});
afterAll(() => platform.remove());

/** Returns the HTTP status of an application's request to OpenSearch, with its own or a wrong password. */
const status = (who: string, password: string, method: string, path: string, body = "{}") =>
  platform.visitors.guests.project_net.status(
    `https://opensearch:9200${path}`,
    ...["--user", `${who}:${password}`, "--request", method],
    ...["--header", "Content-Type: application/json", "--data", body],
  );

const produce = (who: string, record: string) =>
  platform.visitors.guests.project_net.run(
    ...["sh", "-c"],
    `echo '${record}' | timeout 20 ${KAFKA}/kafka-console-producer.sh --bootstrap-server kafka:9092 --topic infra-events --command-config /tmp/${who}.properties`,
  ).output;

const consume = (who: string) =>
  platform.visitors.guests.project_net.run(
    ...["sh", "-c"],
    `timeout 20 ${KAFKA}/kafka-console-consumer.sh --bootstrap-server kafka:9092 --topic infra-events --group ledger --from-beginning --max-messages 1 --command-config /tmp/${who}.properties`,
  ).output;

test("npm run up deploys a secured platform on three machines, and every requirement holds", () => {
  const { deployed } = platform;
  expect(deployed.output).toMatch(/^NFR-SEC +yes .*: shop, ledger$/m);
  expect(deployed.output).toMatch(/^NFR-LOSS +yes +any one machine may be lost: a, b, c$/m);
  expect(deployed.output).not.toMatch(/^\S+ +NO /m);
});

test("a second deploy changes nothing on any machine", () => {
  expectNoChanges(platform.project.command("up"));
});

test("an application has its declared permissions on every machine, and no plaintext crosses the network", async () => {
  const password = platform.project.passwordOf("shop");
  const packets = await packetsWhile(() => {
    expect(produce("shop", "a-record-to-be-read-by-nobody-else")).toBe("");
    const document = '{"message":"a-document-to-be-read-by-nobody-else"}';
    expect(status("shop", password, "PUT", "/logs-shop-1/_doc/1?refresh=true", document)).toBe(
      "201",
    );
    expect(consume("ledger")).toContain("a-record-to-be-read-by-nobody-else");
    expect(
      status("ledger", platform.project.passwordOf("ledger"), "GET", "/logs-shop-1/_doc/1"),
    ).toBe("200");
  });
  // Each record and document has a replica on machine b.
  expect(packets.length).toBeGreaterThan(20_000);
  for (const secret of ["to-be-read-by-nobody-else", password]) {
    expect(packets.includes(secret)).toBe(false);
    expect(packets.includes(Buffer.from(`shop:${secret}`).toString("base64"))).toBe(false);
  }
});

test("internal listeners refuse a client without a certificate of the platform", () => {
  const insider = platform.visitors.guests.infra_net;
  const hello = (address: string) =>
    insider.run(...["sh", "-c", `sleep 2 | openssl s_client -connect ${address} 2>&1; echo`])
      .output;
  for (const address of ["kafka-1:19092", "kafka-2:9093", "opensearch-1:9300"]) {
    expect([address, hello(address)]).toEqual([
      address,
      expect.stringMatching(/alert (certificate required|bad certificate)/),
    ]);
  }
});

test("a machine publishes its nodes only on its loopback address, where they require authentication", () => {
  const hosts = MACHINES.map(({ engine }) => new Guest("host", "host", engine));
  const open = (host: Guest, addresses: readonly string[]) =>
    host
      .run(
        ...["bash", "-c"],
        `for at in ${addresses.join(" ")}; do timeout 2 bash -c "</dev/tcp/$at" 2>/dev/null && echo $at; done`,
      )
      .output.trim()
      .split("\n");
  const ports = [9092, 9093, 9094, 9200, 9201, 9202];
  for (const [i, host] of hosts.entries()) {
    const own = [9092 + i, 9200 + i];
    const onLoopback = ports.map((port) => `localhost/${port}`);
    expect(open(host, onLoopback)).toEqual(own.map((port) => `localhost/${port}`));
    const onAddress = own.map((port) => `${MACHINES[i].address}/${port}`);
    expect(open(hosts[(i + 1) % hosts.length], onAddress)).toEqual([""]);
    host.put("ca.pem", platform.project.credentials("shop", "ca"));
    const ask = (user: string) =>
      host.status(`https://localhost:${9200 + i}/logs-shop-1/_doc/1`, "--user", user);
    expect([ask(`ledger:${platform.project.passwordOf("ledger")}`), ask("ledger:wrong")]).toEqual([
      "200",
      "401",
    ]);
  }
  for (const host of hosts) {
    host.remove();
  }
});
