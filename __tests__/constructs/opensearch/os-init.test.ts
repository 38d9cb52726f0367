import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IndexTemplate, type IndexTemplateProps } from "../../../constructs";
import { renderResource } from "../../../constructs/opensearch/declared-resource";
import { FakeOpenSearch, type Fault, fakeOpenSearches } from "../../support/fake-opensearch";
import { OS_INIT_FILES } from "../../support/os-init";
import type { Json } from "../../support/platform";
import {
  exitLine,
  expectBackoff,
  linesOf,
  RETRY,
  type SidecarOptions,
  type SidecarRun,
  startSidecar,
  workerOf,
} from "../../support/sidecar";
import { StoppedClock } from "../../support/stopped-clock";

const BODY = {
  index_patterns: ["logs-*"],
  priority: 100,
  template: {
    settings: { index: { number_of_shards: 1, number_of_replicas: 1 } },
    mappings: {
      dynamic_templates: [{ strings: { match: "*_id", mapping: { type: "keyword" } } }],
      properties: { message: { type: "text" }, "@timestamp": { type: "date" } },
    },
  },
  version: 1,
  _meta: { owner: "groundwork", note: 'with "quotes", and = signs' },
};

const fake = fakeOpenSearches();

function declare(
  body: Json,
  { name = "logs", ...props }: IndexTemplateProps & { name?: string },
): IndexTemplate {
  const directory = mkdtempSync(join(tmpdir(), "template-"));
  try {
    writeFileSync(join(directory, `${name}.json`), JSON.stringify(body));
    return IndexTemplate.fromFile(join(directory, `${name}.json`), props);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function start(
  endpoints: string,
  {
    body = BODY,
    onDrift,
    ...options
  }: Partial<SidecarOptions> & IndexTemplateProps & { body?: Json } = {},
) {
  return startSidecar({
    script: "opensearch/os-init.sh",
    beside: OS_INIT_FILES,
    files: renderResource(declare(body, { onDrift })),
    declared: "logs",
    env: (directory) => ({
      OPENSEARCH_ENDPOINTS: endpoints,
      OPENSEARCH_NODES: "3",
      DECLARED_DIR: directory,
    }),
    ...options,
  });
}

const run = (...args: Parameters<typeof start>) => start(...args).done;

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A request of each step. */
const STEPS = [/health/, /GET \/_index_template/, /_simulate$/, /PUT/, /_simulate_index/];

// One block, since a second one would wait for it: its tests run side by side.
describe("os-init", () => {
  test.concurrent("continues when its target appears late", async () => {
    const port = await unusedPort();
    const server = new FakeOpenSearch();
    const retry = { initialMs: 50, maxMs: 400 };
    const sidecar = start(`http://127.0.0.1:${port}`, { retry });
    await sidecar.seen("retry", 8);
    await server.start(port);
    const result = await sidecar.done.finally(() => server.stop());
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1 });
    expectBackoff(result, 8, retry);
  });

  test.concurrent.each<[string, Fault, RegExp, RegExp[]]>([
    ["resets the connection", { kind: "reset" }, /Connection reset|Recv failure/, STEPS],
    ["answers 429", { kind: "status", status: 429 }, /HTTP 429/, STEPS],
    ["answers 503", { kind: "status", status: 503 }, /HTTP 503/, STEPS],
    ["truncates an answer", { kind: "truncated" }, /transfer closed|end of response/, STEPS],
    // The second step asks for a template that is absent: its 404 says so without a body.
    ["cuts an answer off", { kind: "cut" }, /response is incomplete/, STEPS.toSpliced(1, 1)],
  ])("gets through when the server %s at every step", async (_name, fault, reason, steps) => {
    const [server, url] = await fake(...steps.map((on): [RegExp, Fault] => [on, fault]));
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, attempts: 1 + steps.length });
    const reasons = linesOf(result, "retry").map((line) => line.reason);
    expect(reasons).toHaveLength(steps.length);
    expect(reasons.filter((text) => !reason.test(text))).toEqual([]);
    expect(server.templates.get("logs").priority).toBe(100);
    expect(new Set(server.writes)).toEqual(new Set(["PUT /_index_template/logs?create=true"]));
  });

  test.concurrent("backs off further with every attempt, up to the cap", async () => {
    const faults = Array.from({ length: 6 }, (): [RegExp, Fault] => [
      /health/,
      { kind: "status", status: 503 },
    ]);
    const [, url] = await fake(...faults);
    const result = await run(url);
    expect(exitLine(result).exit_code).toBe(0);
    expectBackoff(result, 6);
  });

  test.concurrent("waits the whole ceiling without jitter", async () => {
    const faults = Array.from({ length: 4 }, (): [RegExp, Fault] => [/health/, { kind: "reset" }]);
    const [, url] = await fake(...faults);
    const result = await run(url, { jitter: "none" });
    const delays = linesOf(result, "retry").map(({ delay_ms }) => delay_ms);
    expect(delays).toEqual([20, 40, 80, 160]);
    expect(result.durationMs).toBeGreaterThan(300);
  });

  test.concurrent("waits out a server that is slow, up to the deadline", async () => {
    const [server, url] = await fake([/GET \/_index_template/, { kind: "slow", ms: 1000 }]);
    const result = await run(url);
    expect(exitLine(result).exit_code).toBe(0);
    expect(result.durationMs).toBeGreaterThan(1000);
    expect(server.writes).toHaveLength(1);
  });

  test.concurrent("gives up on a server that is slower than the deadline", async () => {
    const [server, url] = await fake([/health/, { kind: "slow", ms: 600_000 }]);
    const result = await run(url, { retry: { deadlineSeconds: 1 } });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(
        /^OpenSearch with 3 nodes: timed out after 1s and 1 attempt: GET .*[Tt]imed out/,
      ),
    });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("fails at once with 77 when it is not authorized", async () => {
    const [server, url] = await fake([/health/, { kind: "status", status: 401 }]);
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({
      exit_code: 77,
      reason: expect.stringContaining("HTTP 401"),
    });
    expect(linesOf(result, "retry")).toEqual([]);
    expect(server.requests).toEqual(["GET /_cluster/health"]);
  });

  test.concurrent("provisions nothing with half a quorum and names what is missing", async () => {
    const clock = new StoppedClock();
    const [server, url] = await fake(
      [/health/, { kind: "meanwhile", act: () => undefined }],
      [/health/, { kind: "meanwhile", act: () => clock.pass(RETRY.deadlineSeconds) }],
    );
    server.nodes = 2;
    const result = await run(url, { clock });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(
        /^OpenSearch with 3 nodes: timed out after 300s and \d+ attempts: 2 of 3 nodes/,
      ),
    });
    expect(new Set(server.requests)).toEqual(new Set(["GET /_cluster/health"]));
    expectBackoff(result, 1);
  });

  const BLOCK = "blocked by: [FORBIDDEN/6/cluster read-only (api)];";
  const blocked = (act?: () => void): [RegExp, Fault] => [
    /^PUT/,
    {
      kind: "status",
      status: 403,
      body: { error: { type: "cluster_block_exception", reason: BLOCK }, status: 403 },
      act,
    },
  ];

  test.concurrent("waits while the cluster is read-only, then continues", async () => {
    const [server, url] = await fake(blocked());
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, attempts: 2, created: 1 });
    expect(linesOf(result, "retry")).toMatchObject([
      { reason: expect.stringContaining(`HTTP 403: ${BLOCK}`) },
    ]);
    expect(server.writes).toHaveLength(2);
  });

  test.concurrent("exits 69 and names the block if it stays", async () => {
    const clock = new StoppedClock();
    const last = blocked(() => clock.pass(RETRY.deadlineSeconds));
    const [server, url] = await fake(blocked(), blocked(), last);
    const result = await run(url, { clock });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(/^index template logs: timed out after 300s.*read-only/),
    });
    expect(server.writes).toHaveLength(3);
  });

  test.concurrent("asks the next node when one does not answer", async () => {
    const [server, url] = await fake();
    const down = `http://127.0.0.1:${await unusedPort()}`;
    const result = await run(`${down} ${url}`);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, attempts: 2 });
    expect(server.writes).toHaveLength(1);
  });

  test.concurrent("exits 69 at the deadline when the target never appears", async () => {
    const clock = new StoppedClock();
    const sidecar = start(`http://127.0.0.1:${await unusedPort()}`, { clock });
    await sidecar.seen("retry");
    clock.pass(RETRY.deadlineSeconds - 60);
    await sidecar.seen("retry", 3);
    clock.pass(60);
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(/timed out after 300s.*(refused|connect to)/i),
    });
    expectBackoff(result, 3);
  });

  test.concurrent("writes its last line when it is terminated in a wait", async () => {
    const sidecar = start(`http://127.0.0.1:${await unusedPort()}`, {
      jitter: "none",
      retry: { initialMs: 600_000, maxMs: 600_000, deadlineSeconds: 1200 },
    });
    await sidecar.seen("retry");
    sidecar.process.kill("SIGTERM");
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 143, reason: "terminated" });
  });

  test.concurrent("is terminated in the middle of a request too", async () => {
    const [server, url] = await fake([/health/, { kind: "slow", ms: 600_000 }]);
    const sidecar = start(url);
    while (server.requests.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    sidecar.process.kill("SIGTERM");
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 143, reason: "terminated" });
  });

  test.concurrent("is terminated if its command loses the first signal, as before it runs", async () => {
    const folder = mkdtempSync(join(tmpdir(), "signal-"));
    const loses = "trap 'trap - TERM' TERM\n: >running\nwhile :; do sleep 0.1; done";
    const sidecar = start(`http://127.0.0.1:${await unusedPort()}`, {
      tools: { curl: `#!/bin/sh\ncd ${folder}\n${loses}\n` },
    });
    while (!existsSync(join(folder, "running"))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    sidecar.process.kill("SIGTERM");
    expect(exitLine(await sidecar.done)).toMatchObject({ exit_code: 143, reason: "terminated" });
    rmSync(folder, { recursive: true });
  });

  test.concurrent("writes its last line when its work is killed", async () => {
    const sidecar = start(`http://127.0.0.1:${await unusedPort()}`);
    await sidecar.seen("retry");
    process.kill(workerOf(sidecar), "SIGKILL");
    expect(exitLine(await sidecar.done)).toMatchObject({
      level: "error",
      exit_code: 137,
      reason: "killed by signal 9",
    });
  });

  test.concurrent("loses a race against another sidecar without a write of its own", async () => {
    const [server, url] = await fake();
    const results = await Promise.all([run(url), run(url), run(url)]);
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    const total = (field: string) =>
      results.reduce((sum, result) => sum + exitLine(result)[field], 0);
    expect([total("created"), total("unchanged")]).toEqual([1, 2]);
    expect(server.templates.size).toBe(1);
  });

  test.concurrent("treats a template that appears between its read and its write as created by another", async () => {
    const theirs = { ...BODY, priority: 42 };
    const [server, url] = await fake([
      /PUT/,
      { kind: "meanwhile", act: (fakeServer) => fakeServer.templates.set("logs", theirs) },
    ]);
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, created: 0, drifted: 1 });
    expect(server.templates.get("logs")).toEqual(theirs);
  });

  test.concurrent("exits 78 on a retry setting that is not a number", async () => {
    const [server, url] = await fake();
    const result = await run(url, { jitter: "some" });
    expect(exitLine(result)).toMatchObject({
      exit_code: 78,
      reason: 'GROUNDWORK_RETRY_JITTER is "some": it must be full or none',
    });
    expect(server.requests).toEqual([]);
  });

  test.concurrent("creates an absent template, verifies that it applies, and logs what it did", async () => {
    const [server, url] = await fake();
    const result = await run(url);
    expect(result.log.map(({ event }) => event)).toEqual(["start", "ready", "created", "exit"]);
    expect(result.log[0]).toMatchObject({
      level: "info",
      sidecar: "os-init",
      version: "test",
      declared: ["logs"],
      ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(exitLine(result)).toMatchObject({
      level: "info",
      exit_code: 0,
      reason: "done",
      attempts: 1,
      created: 1,
      unchanged: 0,
      drifted: 0,
    });
    expect(server.writes).toEqual(["PUT /_index_template/logs?create=true"]);
    expect(server.templates.get("logs")._meta.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(server.requests.at(-1)).toBe(
      "POST /_index_template/_simulate_index/logs-groundwork-probe",
    );
  });

  test.concurrent("run again, finds it unchanged and writes nothing", async () => {
    const [server, url] = await fake();
    await run(url);
    const written = structuredClone(server.templates.get("logs"));
    server.requests.length = 0;
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 0, unchanged: 1 });
    expect(server.writes).toEqual([]);
    expect(server.templates.get("logs")).toEqual(written);
  });

  test.concurrent("treats an equivalent template in another spelling as unchanged", async () => {
    const [server, url] = await fake();
    server.templates.set("logs", {
      _meta: BODY._meta,
      version: 1,
      template: {
        mappings: BODY.template.mappings,
        settings: { index: { number_of_replicas: "1", number_of_shards: "1" } },
      },
      priority: 100,
      index_patterns: ["logs-*"],
    });
    expect(exitLine(await run(url))).toMatchObject({ exit_code: 0, unchanged: 1 });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("reports every field that differs, exits 73 and writes nothing", async () => {
    const [server, url] = await fake();
    const edited = structuredClone(BODY) as Json;
    edited.template.settings.index.number_of_replicas = 0;
    edited.priority = 50;
    edited.template.mappings.properties.extra = { type: "long" };
    server.templates.set("logs", edited);
    const result = await run(url);
    expect(
      linesOf(result, "drift").map(({ field, declared, actual }) => [field, declared, actual]),
    ).toEqual([
      ["priority", "100", "50"],
      ["template.mappings.properties.extra.type", "absent", '"long"'],
      ["template.settings.index.number_of_replicas", '"1"', '"0"'],
    ]);
    expect(exitLine(result)).toMatchObject({
      level: "error",
      exit_code: 73,
      reason: "drift from the declaration: logs",
      drifted: 1,
    });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("ignores drift with onDrift ignore, but reports it", async () => {
    const [server, url] = await fake();
    server.templates.set("logs", { ...BODY, priority: 50 });
    const result = await run(url, { onDrift: "ignore" });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, ignored: 1, drifted: 0 });
    expect(linesOf(result, "drift")).toHaveLength(1);
    expect(server.writes).toEqual([]);
  });

  describe.each(["fail", "reconcile", "ignore"] as const)("with onDrift %s", (onDrift) => {
    test.concurrent("applies a changed declaration to its own template that nobody edited", async () => {
      const [server, url] = await fake();
      await run(url, { onDrift });
      const changed = structuredClone(BODY) as Json;
      changed.version = 2;
      changed.template.mappings.properties.level = { type: "keyword" };
      const result = await run(url, { body: changed, onDrift });
      expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1, drifted: 0 });
      expect(
        linesOf(result, "change").map(({ level, resource, field, declared, actual }) => [
          ...[level, resource, field, declared, actual],
        ]),
      ).toEqual([
        ["info", "logs", "template.mappings.properties.level.type", '"keyword"', "absent"],
        ["info", "logs", "version", "2", "1"],
      ]);
      expect(linesOf(result, "drift")).toEqual([]);
      expect(server.templates.get("logs")).toMatchObject({
        version: 2,
        template: { mappings: { properties: { level: { type: "keyword" } } } },
      });
    });

    test.concurrent("does not apply a changed declaration to its own template that was edited", async () => {
      const [server, url] = await fake();
      await run(url, { onDrift });
      const edited = structuredClone(server.templates.get("logs"));
      edited.template.settings.index.number_of_replicas = 2;
      server.templates.set("logs", edited);
      server.requests.length = 0;
      const result = await run(url, { body: { ...BODY, version: 2 }, onDrift });
      expect(exitLine(result)).toMatchObject({
        ...{ exit_code: onDrift === "ignore" ? 0 : 73, reconciled: 0 },
      });
      expect(linesOf(result, "drift").map(({ field }) => field)).toEqual([
        "template.settings.index.number_of_replicas",
        "version",
      ]);
      expect(server.writes).toEqual([]);
      expect(server.templates.get("logs")).toEqual(edited);
    });
  });

  test.concurrent("applies a further change after somebody edited the template to what was then declared", async () => {
    const [server, url] = await fake();
    await run(url);
    server.templates.set("logs", { ...server.templates.get("logs"), version: 2 });
    expect(exitLine(await run(url, { body: { ...BODY, version: 2 } }))).toMatchObject({
      ...{ exit_code: 0, unchanged: 1 },
    });
    expect(exitLine(await run(url, { body: { ...BODY, version: 3 } }))).toMatchObject({
      ...{ exit_code: 0, reconciled: 1 },
    });
    expect(server.templates.get("logs").version).toBe(3);
  });

  test.concurrent("does not repair its own template that was edited, even with onDrift reconcile", async () => {
    const [server, url] = await fake();
    await run(url);
    server.templates.set("logs", { ...server.templates.get("logs"), version: 9 });
    const result = await run(url, { onDrift: "reconcile" });
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1, reconciled: 0 });
    expect(linesOf(result, "drifted")[0].reason).toBe(
      "not repaired: it was edited since os-init applied it, or os-init did not create it",
    );
  });

  test.concurrent("does not reconcile a template that something else created", async () => {
    const [server, url] = await fake();
    server.templates.set("logs", { ...BODY, priority: 7 });
    expect(exitLine(await run(url, { onDrift: "reconcile" }))).toMatchObject({
      exit_code: 73,
    });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("exits 73 when a template with a higher priority shadows the declared one", async () => {
    const [server, url] = await fake();
    server.templates.set("other", {
      index_patterns: ["logs-*"],
      priority: 900,
      template: { settings: { index: { number_of_shards: 5 } } },
    });
    const result = await run(url);
    expect(linesOf(result, "shadowed")).toHaveLength(1);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
  });

  // OpenSearch 3.8 answers 500 to the simulation of an index with the name of a data stream.
  test.concurrent.each(["app.logs", "app[1]^logs", "app[logs", "app]logs"])(
    "finds the template of a data stream %s that exists unchanged",
    async (stream) => {
      const [server, url] = await fake();
      const body = {
        ...BODY,
        index_patterns: [stream],
        template: { ...BODY.template, aliases: { "all-{index}": {} } },
      };
      await run(url, { body });
      server.streams.set(stream, { template: "logs" });
      server.templates.set("appxlogs", {
        index_patterns: ["appxlogs", "app1^logs", "[a-*", "other-*"],
        priority: 900,
      });
      server.templates.set("all", { index_patterns: ["*"], priority: 9 });
      const result = await run(url, { body });
      expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 1, attempts: 1 });
      expect(server.writes).toHaveLength(1);
    },
  );

  test.concurrent("exits 73 when another template shadows that of a data stream that exists", async () => {
    const [server, url] = await fake();
    const body = { ...BODY, index_patterns: ["application-logs"] };
    server.streams.set("application-logs", {});
    server.templates.set("none", { index_patterns: ["application-*"] });
    server.templates.set("other", {
      index_patterns: ["application-*"],
      priority: 900,
      template: { settings: { index: { number_of_shards: 5 } } },
    });
    const result = await run(url, { body });
    expect(linesOf(result, "shadowed")).toHaveLength(1);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
  });

  test.concurrent("exits 65 when another template has the same priority and pattern", async () => {
    const [server, url] = await fake();
    server.templates.set("other", { index_patterns: ["logs-*"], priority: 100 });
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({
      exit_code: 65,
      reason: expect.stringContaining("patterns of [other] have the same priority"),
    });
    expect(server.templates.has("logs")).toBe(false);
  });

  test.concurrent("fails at once with 65 when the server rejects the template", async () => {
    const body = { error: { reason: 'unknown setting "numbr_of_shards"' } };
    const [server, url] = await fake([/_simulate$/, { kind: "status", status: 400, body }]);
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({
      exit_code: 65,
      reason:
        'index template logs: OpenSearch rejects it: unknown setting "numbr_of_shards": HTTP 400',
    });
    expect(server.writes).toEqual([]);
    expect(linesOf(result, "retry")).toEqual([]);
  });

  const MAPPING_ERROR = {
    error: {
      root_cause: [{ type: "mapper_parsing_exception", reason: "the least of it" }],
      type: "illegal_argument_exception",
      reason: `composable template [simulate_template_${"a".repeat(22)}] template after composition is invalid`,
      caused_by: {
        type: "mapper_parsing_exception",
        reason: "Failed to parse mapping [_doc]: No handler for type [scaled_float]",
        caused_by: {
          type: "mapper_parsing_exception",
          reason: "No handler for type [scaled_float]",
        },
      },
    },
    status: 400,
  };
  test.concurrent.each<[string, number, Json, string]>([
    [
      "the innermost cause first",
      400,
      MAPPING_ERROR,
      "index template logs: OpenSearch rejects it: No handler for type [scaled_float] (Failed to parse mapping [_doc]; composable template [logs] template after composition is invalid): HTTP 400",
    ],
    [
      "the type of a cause without a reason",
      400,
      { error: { type: "null_pointer_exception", reason: null } },
      "index template logs: OpenSearch rejects it: null_pointer_exception: HTTP 400",
    ],
    [
      "a long reason up to a word of its end",
      400,
      { error: { reason: `first ${"word ".repeat(400)}` } },
      `index template logs: OpenSearch rejects it: first ${"word ".repeat(158)}...: HTTP 400`,
    ],
    [
      "a proxy's page without its tags",
      404,
      "<html><body>\n<h1>404 Not Found</h1>\n<hr>nginx\n</body></html>",
      "index template logs: OpenSearch rejects it: 404 Not Found nginx: HTTP 404",
    ],
    [
      "that there is no answer",
      400,
      "",
      "index template logs: OpenSearch rejects it: an empty response: HTTP 400",
    ],
    [
      "who is not allowed what",
      403,
      { error: { reason: "no permissions for [x]" } },
      "POST /_index_template/_simulate?pretty&filter_path=template: HTTP 403: no permissions for [x]",
    ],
  ])("says of a rejection %s", async (_name, status, body, reason) => {
    const [, url] = await fake([/_simulate$/, { kind: "status", status, body }]);
    expect(exitLine(await run(url)).reason).toBe(reason);
  });

  test.concurrent("finds its own templates unchanged, whatever is in them", async () => {
    const contents: Record<string, Json> = {
      "settings-without-index": {
        template: { settings: { number_of_shards: 1, "index.number_of_replicas": "0" } },
      },
      "a-data-stream": { data_stream: {} },
      "a-priority-as-a-string": { priority: "100" },
      "no-template": { template: undefined, priority: undefined },
      "an-empty-template-and-meta": { template: {}, _meta: {} },
      "an-alias-named-after-the-index": {
        index_patterns: ["logs.é+%-*"],
        template: { aliases: { "all-{index}": { routing: "1" } } },
      },
      "a-meta-of-odd-keys-and-values": {
        _meta: {
          ...{ "a.b": 1, "a=b": 2, "a[0]": 3, 'x" : "y': 4, "": 5, "}": "]", "{": "[", back: "\\" },
          ...{
            // biome-ignore lint/suspicious/noTemplateCurlyInString: text like any other
            text: 'a, "b"\n@FINGERPRINT@ ${x}',
            none: null,
            list: [[], {}, [[1], null]],
            brace: "{",
          },
        },
      },
    };
    const names = Object.keys(contents).sort();
    const files = names.flatMap((name) =>
      renderResource(
        declare({ ...BODY, index_patterns: [`${name}-*`], ...contents[name] }, { name }),
      ),
    );
    const [server, url] = await fake();
    const resources = (result: SidecarRun, event: string) =>
      linesOf(result, event).map(({ resource }) => resource);
    const first = await run(url, { files, declared: names.join(" ") });
    expect(resources(first, "created")).toEqual(names);
    expect(exitLine(first).exit_code).toBe(0);
    server.requests.length = 0;
    const second = await run(url, { files, declared: names.join(" ") });
    expect(resources(second, "unchanged")).toEqual(names);
    expect(exitLine(second).exit_code).toBe(0);
    expect(server.writes).toEqual([]);
  });

  test.concurrent("names a hundred fields that differ and counts the rest", async () => {
    const [server, url] = await fake();
    const properties = Object.fromEntries(
      Array.from({ length: 120 }, (_, i) => [`field_${i}`, { type: "long" }]),
    );
    server.templates.set("logs", {
      ...BODY,
      template: {
        ...BODY.template,
        mappings: {
          ...BODY.template.mappings,
          properties: { ...BODY.template.mappings.properties, ...properties },
        },
      },
    });
    const result = await run(url);
    expect(linesOf(result, "drift")).toHaveLength(100);
    expect(linesOf(result, "drift_more")).toMatchObject([{ resource: "logs", fields: 20 }]);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
  });
});
