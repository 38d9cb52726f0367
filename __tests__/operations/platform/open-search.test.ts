import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TLSSocket } from "node:tls";
import execa from "execa";
import { environments } from "../../../environments";
import { Platform } from "../../../operations/platform/platform";
import { TestCa } from "../../support/certificates";
import type { Json } from "../../support/platform";
import { ROOT } from "../../support/root";

interface Answer {
  readonly exitCode: number;
  readonly output: string;
}

/** The answers by a part of the request. */
let answers: Record<string, Answer | Json>;
let requests: { readonly command: string; readonly input?: string }[];

function answerTo(command: string, input?: string): Answer {
  requests.push({ command, input });
  const [, answer] = Object.entries(answers).find(([part]) => command.includes(part)) ?? [];
  return answer?.exitCode === undefined ? { exitCode: 0, output: JSON.stringify(answer) } : answer;
}

jest.mock("../../../operations/engine/docker", () => ({
  tryDockerAt: async (_: unknown, ...args: string[]) => answerTo(args.join(" ")),
  tryDockerWithInput: async (_: unknown, input: string, ...args: string[]) =>
    answerTo(args.join(" "), input),
}));

const { security: _, ...plaintext } = environments.laptop;
const { openSearch } = new Platform(plaintext);

const health = (status: string, others: Json = {}) => ({
  ...{ status, number_of_nodes: 3, unassigned_shards: 1 },
  ...{ initializing_shards: 0, relocating_shards: 0, ...others },
});
const UNASSIGNED = { index: "orders", shard: "0", prirep: "r", state: "UNASSIGNED" };

/** An explanation with what speaks against each node. */
const explanation = (...nodes: string[][]) => ({
  can_allocate: "no",
  node_allocation_decisions: nodes.map((deciders, i) => ({
    node_name: `opensearch-${i + 1}`,
    deciders: deciders.map((decider) => ({ decider, decision: "NO" })),
  })),
});

beforeEach(() => {
  requests = [];
  answers = {
    "/_cluster/health": health("yellow"),
    "/_cat/shards": [{ ...UNASSIGNED, prirep: "p", state: "STARTED" }, UNASSIGNED],
    "/_cluster/allocation/explain": explanation(["same_shard"], ["node_version"], ["node_version"]),
  };
});

describe("a cluster between two versions can lose a node", () => {
  const lack = () => openSearch.incomplete("opensearch-1", true);
  const YELLOW = "status yellow; shards unassigned: 1, initializing: 0, relocating: 0";

  test("if it is green, or if replicas wait only for nodes of the new version", async () => {
    expect(await lack()).toBeUndefined();
    expect(requests.at(-1)?.command).toMatch(
      /--request POST --header content-type: application\/json --data {"index":"orders","shard":0,"primary":false} /,
    );
    answers = { "/_cluster/health": health("green") };
    expect(await lack()).toBeUndefined();
  });

  test("also with machines, each of which may have one copy", async () => {
    answers["/_cluster/allocation/explain"] = explanation(
      ...[["same_shard", "awareness"], ["node_version"], ["node_version", "awareness"]],
    );
    expect(await lack()).toBeUndefined();
  });

  test.each<[string, () => void, string]>([
    [
      "it is red",
      () => {
        answers["/_cluster/health"] = health("red");
      },
      YELLOW.replace("yellow", "red"),
    ],
    [
      "shards move",
      () => {
        answers["/_cluster/health"] = health("yellow", { relocating_shards: 2 });
      },
      YELLOW.replace("relocating: 0", "relocating: 2"),
    ],
    [
      "shards recover",
      () => {
        answers["/_cluster/health"] = health("yellow", { initializing_shards: 2 });
      },
      YELLOW.replace("initializing: 0", "initializing: 2"),
    ],
    [
      "a node is missing",
      () => {
        answers["/_cluster/health"] = health("yellow", { number_of_nodes: 2 });
      },
      `${YELLOW}; nodes: 2 of 3`,
    ],
    [
      "a primary is unassigned",
      () => {
        answers["/_cat/shards"] = [{ ...UNASSIGNED, prirep: "p" }];
      },
      `${YELLOW}; primary orders[0] is unassigned`,
    ],
    [
      "the shards changed since",
      () => {
        answers["/_cat/shards"] = [];
      },
      `${YELLOW}; its shards are changing`,
    ],
    [
      "a node has something else against the replica",
      () => {
        answers["/_cluster/allocation/explain"] = explanation(
          ...[["same_shard"], ["node_version", "disk_threshold"], ["node_version"]],
        );
      },
      `${YELLOW}; replica orders[0] is unassigned: can_allocate is no, opensearch-1 (same_shard), opensearch-2 (node_version, disk_threshold), opensearch-3 (node_version)`,
    ],
    [
      "every node has a copy",
      () => {
        answers["/_cluster/allocation/explain"] = explanation(["same_shard"], ["same_shard"]);
      },
      `${YELLOW}; replica orders[0] is unassigned: can_allocate is no, opensearch-1 (same_shard), opensearch-2 (same_shard)`,
    ],
    [
      "the replica waits for its node to come back",
      () => {
        answers["/_cluster/allocation/explain"] = {
          ...explanation(["node_version"]),
          can_allocate: "allocation_delayed",
        };
      },
      `${YELLOW}; replica orders[0] is unassigned: can_allocate is allocation_delayed, opensearch-1 (node_version)`,
    ],
  ])("not if %s", async (_, change, message) => {
    change();
    expect(await lack()).toBe(message);
  });

  const failed = { exitCode: 22, output: '{"error":"rejected_execution","status":429}' };

  test.each([
    ["/_cluster/health", failed.output],
    ["/_cat/shards", `${YELLOW}; ${failed.output}`],
    [
      "/_cluster/allocation/explain",
      `${YELLOW}; replica orders[0] is unassigned: ${failed.output}`,
    ],
  ])("not if %s answers with an error", async (path, message) => {
    answers[path] = failed;
    expect(await lack()).toBe(message);
  });

  test.each([
    ["OpenSearch Security not initialized.", "OpenSearch Security not initialized."],
    ['{"error":"no cluster manager","status":503}', '{"error":"no cluster manager","status":503}'],
    ["", "no answer"],
  ])("not if its health is %j", async (output, message) => {
    answers["/_cluster/health"] = { exitCode: 0, output };
    expect(await lack()).toBe(message);
  });
});

test("without an upgrade, no replica may be unassigned", async () => {
  expect(await openSearch.incomplete("opensearch-1")).toMatch(/^status yellow/);
});

describe("the replicas", () => {
  const { replicas } = openSearch;
  const SET = 'PUT --header content-type: application/json --data {"persistent":';
  const settings = (persistent: Json, transient: Json = {}) => ({ persistent, transient });
  const ENABLE = "cluster.routing.allocation.enable";

  beforeEach(() => {
    jest.spyOn(console, "log").mockImplementation();
    // The answer to a change comes first.
    answers = {
      [SET]: { acknowledged: true },
      "/_cluster/settings": settings({}),
      "/_flush": { _shards: { total: 4, successful: 2, failed: 0 } },
    };
  });
  afterEach(() => jest.restoreAllMocks());

  test("are held by a setting that outlives this process, and then flushed", async () => {
    await replicas.hold("opensearch-2");
    expect(requests.slice(1).map(({ command }) => command)).toEqual([
      expect.stringContaining(
        `${SET}{"${ENABLE}":"primaries"}} http://127.0.0.1:9200/_cluster/settings`,
      ),
      expect.stringMatching(/^exec opensearch-2 .* --request POST http:\S+\/_flush$/),
    ]);
  });

  test("are released from both kinds of setting", async () => {
    answers["/_cluster/settings"] = settings({ [ENABLE]: "primaries" });
    await replicas.release("opensearch-2");
    expect(requests.at(-1)?.command).toContain(
      `${SET}{"${ENABLE}":null},"transient":{"${ENABLE}":null}} http`,
    );
  });

  test.each<[Json, Json, boolean]>([
    [{}, {}, false],
    [{ [ENABLE]: "primaries" }, {}, true],
    [{}, { [ENABLE]: "primaries" }, true],
    [{ [ENABLE]: "none" }, {}, false],
  ])("with the settings %j and %j are held: %s", async (persistent, transient, expected) => {
    answers["/_cluster/settings"] = settings(persistent, transient);
    expect(await replicas.areHeld("opensearch-1")).toBe(expected);
  });

  test("are not held over a setting of the user, which the upgrade would lose", async () => {
    answers["/_cluster/settings"] = settings({ [ENABLE]: "new_primaries" });
    await expect(replicas.hold("opensearch-1")).rejects.toThrow(
      "OpenSearch has cluster.routing.allocation.enable=new_primaries, with which the shards of a replaced node stay unassigned. No further nodes were replaced. Set it to null and run the same command again",
    );
    // A failed upgrade releases, too.
    await replicas.release("opensearch-1");
    expect(requests.filter(({ command }) => command.includes("PUT"))).toEqual([]);
  });

  test("are held even if the flush fails, which only costs time", async () => {
    answers["/_flush"] = { exitCode: 22, output: "429" };
    await replicas.hold("opensearch-1");
    expect(console.log).toHaveBeenCalledWith(
      "  OpenSearch did not flush, so its shards recover more slowly: 429",
    );
  });

  test.each([
    ["an error", { exitCode: 22, output: "503" }, "503"],
    ["no acknowledgment", { acknowledged: false }, '{"acknowledged":false}'],
  ])("are neither held nor released after %s", async (_, answer, output) => {
    answers[SET] = answer;
    answers["/_cluster/settings"] = settings({ [ENABLE]: "primaries" });
    const message = `OpenSearch does not set cluster.routing.allocation.enable: ${output}. Run the same command again`;
    await expect(replicas.hold("opensearch-1")).rejects.toThrow(message);
    await expect(replicas.release("opensearch-1")).rejects.toThrow(message);
  });

  test("are not taken for released if the settings cannot be read", async () => {
    answers["/_cluster/settings"] = { exitCode: 22, output: "403" };
    await expect(replicas.areHeld("opensearch-1")).rejects.toThrow(
      "OpenSearch does not tell its settings: 403",
    );
  });

  test("of a secured cluster are held by the administrator, whose key is in no argument", async () => {
    const folder = mkdtempSync(join(tmpdir(), "administrator-"));
    const file = join(folder, "key-pairs", "os-admin.pem");
    mkdirSync(dirname(file));
    writeFileSync(file, "the key pair");
    process.env.GROUNDWORK_SECRETS = folder;
    try {
      await new Platform({ ...plaintext, security: "tls" }).openSearch.replicas.hold(
        "opensearch-1",
      );
    } finally {
      delete process.env.GROUNDWORK_SECRETS;
      rmSync(folder, { recursive: true });
    }
    expect(requests.map(({ input }) => input)).toEqual([undefined, "the key pair", "the key pair"]);
    expect(requests[1].command).toMatch(/^exec --interactive opensearch-1 bash -c /);
    expect(requests[1].command).toContain(
      "--cacert /usr/share/opensearch/config/certificates/node.pem --max-time 60 --fail-with-body --request PUT",
    );
  });
});

test("the versions of all nodes come from one of them", async () => {
  answers = {
    "/_nodes": {
      nodes: {
        x: { name: "opensearch-1", version: "3.7.0" },
        y: { name: "opensearch-2", version: "3.8.0" },
      },
    },
  };
  expect([...(await openSearch.versions(["opensearch-2"]))]).toEqual([
    ["opensearch-1", "3.7.0"],
    ["opensearch-2", "3.8.0"],
  ]);
  answers = { "/_nodes": { exitCode: 22, output: "503" } };
  await expect(openSearch.versions(["opensearch-2"])).rejects.toThrow(
    "OpenSearch does not tell the versions of its nodes: 503",
  );
});

test("the administrator's key pair goes from standard input to the server, and an error fails", async () => {
  const ca = await TestCa.make("test");
  const [served, administrator] = [await ca.issue("server"), await ca.issue("os-admin")];
  const server = createServer(
    {
      ...{ key: readFileSync(served), cert: readFileSync(served) },
      ...{ ca: readFileSync(ca.certificate), requestCert: true, rejectUnauthorized: true },
    },
    ({ url, socket }, response) => {
      response.statusCode = url === "/fails" ? 500 : 200;
      response.end((socket as TLSSocket).getPeerCertificate().subject.CN);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const script = readFileSync(join(ROOT, "operations/platform/with-key-pair.sh"), "utf8");
    const { port } = server.address() as AddressInfo;
    const request = (path: string) =>
      execa(
        "bash",
        [
          ...["-c", script, "with-key-pair.sh", "--silent", "--fail-with-body"],
          ...["--cacert", ca.certificate, `https://127.0.0.1:${port}${path}`],
        ],
        { input: readFileSync(administrator), reject: false },
      );
    expect(await request("/")).toMatchObject({ exitCode: 0, stdout: "os-admin" });
    expect(await request("/fails")).toMatchObject({ exitCode: 22, stdout: "os-admin" });
  } finally {
    server.close();
    ca.remove();
  }
});
