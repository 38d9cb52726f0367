import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { labSecured } from "../../../environments/lab-secured";
import { expectDone, type Finished, freshLab, interrupt, records } from "../../support/lab";
import {
  expectAllDocuments,
  expectAllRecords,
  goneOneByOne,
  type Load,
  type Login,
  underLoad,
} from "../../support/load";
import type { Json } from "../../support/platform";
import { Guest, SecuredProject } from "../../support/secured";

// A roll of both clusters under load takes minutes.
jest.setTimeout(900_000);

let project: SecuredProject;
let client: Guest;
let locked: Finished;

beforeAll(async () => {
  await freshLab(labSecured);
  project = new SecuredProject();
  project.edit("environments/lab-secured.ts", '  security: "tls",\n', "");
  const open = project.command("up");
  expectDone(open);
  client = new Guest("client", "project_net");
  client.run(
    ...["sh", "-c"],
    "seq 100 | /opt/kafka/bin/kafka-console-producer.sh --bootstrap-server kafka:9092 --topic infra-events",
  );
  client.run(
    ...["curl", "--silent", "--request", "PUT", "--header", "Content-Type: application/json"],
    ...["--data", '{"message":"sold"}', "http://opensearch:9200/logs-shop-open/_doc/1"],
  );
  const name = '  name: "lab-secured",\n';
  project.edit("environments/lab-secured.ts", name, `${name}  security: "tls",\n`);
  locked = project.command("up");
});

afterAll(() => {
  client.remove();
  project.remove();
});

describe("an open platform that is locked", () => {
  test("is so at once, which is said, and holds what it promises", () => {
    expectDone(locked);
    for (const cluster of ["opensearch", "kafka"]) {
      expect(locked.output).toContain(
        `${cluster} does not serve while ${cluster}-1, ${cluster}-2, ${cluster}-3 are replaced, all at once: a node that speaks TLS and one that does not cannot talk`,
      );
    }
  });

  test("has everything that was stored, for those who may read it", () => {
    expect(records("infra-events")).toBe(100);
    client.put("ca.pem", project.credentials("ledger", "ca"));
    const document = (...who: string[]) =>
      client.run(
        ...["curl", "--silent", "--cacert", "/tmp/ca.pem", ...who],
        "https://opensearch:9200/logs-shop-open/_doc/1",
      ).output;
    expect(
      JSON.parse(document("--user", `ledger:${project.passwordOf("ledger")}`))._source,
    ).toEqual({
      message: "sold",
    });
    expect(document()).toBe("Unauthorized");
  });

  test("is not touched by a clone that has made secrets of its own", () => {
    const secrets = dirname(project.secrets);
    renameSync(secrets, `${secrets}-elsewhere`);
    // The plan makes them, the deploy finds them.
    for (const command of ["plan", "up"]) {
      const { exitCode, output } = project.command(command);
      expect({ command, exitCode }).toEqual({ command, exitCode: 1 });
      expect(output).toMatch(
        /nothing was changed, because:\n- environment "lab-secured" runs and trusts "CN=groundwork lab-secured (\w+)", and \S+\/environments\/secrets\/lab-secured has "CN=groundwork lab-secured (?!\1)\w+", which it would refuse: take the secrets from where it was deployed with, /,
      );
    }
    rmSync(secrets, { recursive: true });
    renameSync(`${secrets}-elsewhere`, secrets);
    expect(project.command("up").output.match(/: no changes/g)).toHaveLength(5);
  });
});

describe("under a producer and an indexer, without a failed write,", () => {
  const NODES = {
    opensearch: ["opensearch-1", "opensearch-2", "opensearch-3"],
    kafka: ["kafka-1", "kafka-2", "kafka-3"],
  } as const;
  const loginFile = join(mkdtempSync(join(tmpdir(), "groundwork-login-")), "login");
  afterAll(() => rmSync(dirname(loginFile), { recursive: true }));

  /** With what shop has now, also for its client on the project network. */
  function login(): Login {
    writeFileSync(loginFile, `shop:${project.passwordOf("shop")}`);
    const authorities = project.credentials("shop", "ca");
    client.put("ca.pem", authorities);
    return { properties: project.credentials("shop", "properties"), loginFile, authorities };
  }

  /** As an application that may: shop refreshes what it writes, ledger reads. */
  function ask(method: string, path: string): Json {
    const who = method === "GET" ? "ledger" : "shop";
    const { output } = client.run(
      ...[
        "curl",
        "--silent",
        "--cacert",
        "/tmp/ca.pem",
        "--user",
        `${who}:${project.passwordOf(who)}`,
      ],
      ...["--request", method, `https://opensearch:9200${path}`],
    );
    return JSON.parse(output);
  }

  function expectNothingLost(load: Load, atLeast?: number): void {
    expectAllRecords(load, atLeast);
    expectAllDocuments(load, ask, atLeast);
  }

  function expectRolled(load: Load): void {
    expect(goneOneByOne(load, "opensearch")).toEqual(NODES.opensearch);
    expect(goneOneByOne(load, "kafka")).toEqual(NODES.kafka);
  }

  /** What a server shows to its clients. */
  const issuer = () =>
    /issuer=CN ?= ?(.*)/.exec(
      client.run(...["sh", "-c", "openssl s_client -connect opensearch:9200 </dev/null 2>&1"])
        .output,
    )?.[1];

  test("every certificate is replaced", async () => {
    let rotated: Finished | undefined;
    const load = await underLoad(
      "shop-certificates",
      () => {
        rotated = project.command("rotate", "certificates");
      },
      login(),
    );
    expectDone(rotated);
    expect(rotated?.output).toContain("every certificate is a new one");
    expectRolled(load);
    expectNothingLost(load);
  });

  describe("the authority is replaced:", () => {
    let before: string | undefined;

    test("first both are trusted, and applications are given both", async () => {
      before = issuer();
      let rotated: Finished | undefined;
      const load = await underLoad(
        "shop-ca-1",
        () => {
          rotated = project.command("rotate", "ca");
        },
        login(),
      );
      expectDone(rotated);
      expect(rotated?.output).toContain(
        "step 1 of 3 is deployed. From step 2 on the servers' certificates are the new authority's: give both authorities to shop and ledger first (npm run credentials -- shop --format ca), then run the same command again",
      );
      expectRolled(load);
      expectNothingLost(load);
      expect(issuer()).toBe(before);
      expect(project.credentials("shop", "ca").match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    });

    test("then certificates are the new one's and it alone is trusted, also when that was interrupted", async () => {
      let interrupted: Finished | undefined;
      let finished: Finished | undefined;
      const load = await underLoad(
        "shop-ca-2",
        async () => {
          interrupted = await interrupt(
            ...(["node", ["-r", "./register.js", "commands/rotate.ts", "ca"]] as const),
            /is rolled[\s\S]*created after/,
            project.folder,
          );
          finished = project.command("rotate", "ca");
        },
        login(),
      );
      expect(interrupted?.exitCode).not.toBe(0);
      expect(interrupted?.output).toContain("going on with step 2 of 3");
      expectDone(finished);
      expect(finished?.output).toContain("going on with step 2 of 3");
      expect(finished?.output).toContain("the authority and every certificate are new ones");
      expectNothingLost(load);
      expect(issuer()).not.toBe(before);
      expect(project.credentials("shop", "ca").match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    });
  });

  test("an application's password is replaced", async () => {
    const old = login();
    const oldPassword = project.passwordOf("shop");
    let rotated: Finished | undefined;
    const load = await underLoad(
      "shop-password",
      async () => {
        rotated = project.command("rotate", "shop");
        login();
        // It goes on with that.
        await setTimeout(20_000);
      },
      old,
    );
    expectDone(rotated);
    expect(rotated?.output).toContain('"shop" has a new password, and is refused with the old one');
    // The sidecars run again, and no node.
    expectNothingLost(load, 100);
    expect(project.passwordOf("shop")).not.toBe(oldPassword);
    // Also the node that was asked while it was told.
    const answers = NODES.opensearch.map(
      (node) =>
        client.run(
          ...["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"],
          ...["--cacert", "/tmp/ca.pem", "--user", `shop:${oldPassword}`, `https://${node}:9200/`],
        ).output,
    );
    expect(answers).toEqual(["401", "401", "401"]);
  });
});
