import { CURL_AS_APPLICATION } from "../../../constructs/opensearch/tls";
import { docker, expectDone, type Finished } from "../../support/lab";
import type { Json } from "../../support/platform";
import { deployedSecuredLab } from "../../support/secured";

const project = deployedSecuredLab((copy) => {
  copy.edit(
    "lab/environments.ts",
    'name: "lab-secured",',
    'name: "lab-secured",\n  backup: { repository: { kind: "volume" } },',
  );
  return copy.command("up");
});

/** Sends a request as an application, with its password. Returns the status and the answer. */
function as(application: string, method: string, path: string, ...lines: Json[]): [number, Json] {
  const output = docker(
    ...["exec", "opensearch-1", "curl", "--silent", ...CURL_AS_APPLICATION],
    ...["--user", `${application}:${project.passwordOf(application)}`, "--request", method],
    ...["--header", "Content-Type: application/json", "--write-out", "\n%{http_code}"],
    ...["--data-binary", lines.map((line) => `${JSON.stringify(line)}\n`).join("")],
    `https://opensearch:9200${path}`,
  );
  const [, answer, status] = /^(.*)\n(\d+)$/s.exec(output) ?? [];
  return [Number(status), JSON.parse(answer)];
}

const INDEX = "logs-shop-2026";

/** Returns what an application finds in an index, by id. */
function found(index: string): Json[] {
  const [, { hits }] = as("ledger", "GET", `/${index}/_search?size=1000&sort=_id`);
  return hits.hits.map(({ _id, _source }: Json) => ({ _id, _source }));
}

/** Returns the HTTP status of a request with the certificate of os-backup. */
const asBackup = (method: string, path: string) =>
  docker(
    ...["exec", "os-backup", "curl", "--silent", "--output", "/dev/null"],
    ...["--write-out", "%{http_code}", "--request", method, `https://opensearch-1:9200${path}`],
  );

describe("with the certificate of os-backup", () => {
  test.each([
    ["GET", "/_snapshot/backups/_all"],
    ["POST", "/_snapshot/backups/_verify"],
  ])("%s %s is allowed", (method, path) => {
    expect(asBackup(method, path)).toBe("200");
  });

  test.each([
    ["POST", "/_snapshot/backups/any/_restore"],
    ["DELETE", "/_snapshot/backups"],
    ["GET", `/${INDEX}/_search`],
    ["DELETE", `/${INDEX}`],
    ["GET", "/_plugins/_security/api/internalusers"],
  ])("%s %s is denied", (method, path) => {
    expect(asBackup(method, path)).toBe("403");
  });
});

describe("once all data volumes are removed and the platform is deployed again", () => {
  let written: Json[];
  let taken: Finished;
  let restored: Finished;
  const INDICES = [INDEX, "application-logs"];

  beforeAll(() => {
    const documents = Array.from({ length: 100 }, (_, number) => ({ number }));
    const lines = documents.flatMap((body) => [{ index: { _id: String(body.number) } }, body]);
    expect(as("shop", "POST", `/${INDEX}/_bulk?refresh=true`, ...lines)[1].errors).toBe(false);
    const log = { message: "started", level: "INFO" };
    as("shop", "POST", "/application-logs/_bulk?refresh=true", { create: {} }, log);
    written = INDICES.map(found);
    taken = project.command("backup");
    expectDone(taken);
    expectDone(project.command("down", "--volumes", "--yes"));
    expectDone(project.command("up"));
    restored = project.command("restore", "latest");
  });

  test("a restore brings back every document, for users with the passwords that they had", () => {
    expectDone(restored);
    expect(written.map((documents) => documents.length)).toEqual([100, 1]);
    expect(INDICES.map(found)).toEqual(written);
  });

  test("permissions are those of the declaration", () => {
    expect(as("shop", "PUT", `/${INDEX}/_doc/new`, { number: 100 })[0]).toBe(201);
    expect(as("shop", "GET", `/${INDEX}/_search`)[0]).toBe(403);
    expect(as("ledger", "DELETE", `/${INDEX}`)[0]).toBe(403);
  });

  test("no backup has the security plugin's index", () => {
    const all = docker(
      ...["exec", "os-backup", "curl", "--silent"],
      "https://opensearch-1:9200/_snapshot/backups/_all",
    );
    const { snapshots } = JSON.parse(all);
    const indices = snapshots.flatMap((snapshot: Json) => snapshot.indices);
    expect(indices).toContain(INDEX);
    expect(indices.filter((name: string) => name.includes("security"))).toEqual([]);
  });
});
