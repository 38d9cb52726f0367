import { expectDone } from "../../support/lab";
import type { Json } from "../../support/platform";
import { deployedSampleApplication } from "../../support/sample-application";

const application = deployedSampleApplication();
beforeAll(() => {
  application.login();
});

/** Sends a request as an application. Returns the status and the response. */
function as(name: string, method: string, path: string, ...lines: readonly Json[]): [number, Json] {
  const { output } = application.client.run(
    ...["curl", "--silent", "--cacert", "/tmp/ca.pem", "--request", method],
    ...["--user", `${name}:${application.project.passwordOf(name)}`],
    ...["--header", "Content-Type: application/json", "--write-out", "\n%{http_code}"],
    ...["--data-binary", lines.map((line) => `${JSON.stringify(line)}\n`).join("")],
    `https://opensearch:9200${path}`,
  );
  const [, answer, status] = /^(.*)\n(\d+)\s*$/s.exec(output) ?? [];
  return [Number(status), JSON.parse(answer)];
}

const STREAM = "application-logs";
const LOG = { message: "started", level: "INFO" };

test.each([
  ["writes", "shop"],
  ["appends", "ledger"],
])(
  "an application that %s to a data stream by _bulk needs nothing but its declared access",
  (_, name) => {
    const [status, answer] = as(name, "POST", `/${STREAM}/_bulk?refresh=true`, { create: {} }, LOG);
    expect(JSON.stringify(answer)).toContain(`".ds-${STREAM}-000001"`);
    expect([status, answer.errors, answer.items[0].create.status]).toEqual([200, false, 201]);
  },
);

test("documents of the data stream have gone through its pipeline and have the fields of its component", () => {
  const [, { hits }] = as("ledger", "GET", `/${STREAM}/_search`, {
    query: { term: { level: "info" } },
  });
  expect(hits.total.value).toBe(2);
  expect(hits.hits[0]._source).toEqual({
    ...LOG,
    level: "info",
    "@timestamp": expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
});

test.each<[string, string, string, string, readonly Json[]]>([
  ["search it", "shop", "GET", `/${STREAM}/_search`, []],
  ["search its backing index", "shop", "GET", `/.ds-${STREAM}-000001/_search`, []],
  ["delete it", "shop", "DELETE", `/_data_stream/${STREAM}`, []],
  ["roll it over", "shop", "POST", `/${STREAM}/_rollover`, []],
  [
    "delete its documents",
    "ledger",
    "POST",
    `/${STREAM}/_delete_by_query`,
    [{ query: { match_all: {} } }],
  ],
  ["create another data stream", "shop", "PUT", "/_data_stream/others-logs", []],
  ["write to a backing index of another", "shop", "POST", "/.ds-others-000001/_doc", [LOG]],
])("an application may not %s with the access that it lacks", (_, name, method, path, lines) => {
  const [status, answer] = as(name, method, path, ...lines);
  expect([status, answer.error.type]).toEqual([403, "security_exception"]);
});

test("once it has documents, the next deploy and the comparison of drift find its template as declared", () => {
  expectDone(application.project.command("up"));
  const { exitCode, output } = application.project.command("drift");
  expect(output).not.toContain("application-logs:");
  expect(exitCode).toBe(0);
});
