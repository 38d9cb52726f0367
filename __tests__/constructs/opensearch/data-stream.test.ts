import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog } from "../../../catalog";
import { DataStream, IndexTemplate } from "../../../constructs";

const folder = mkdtempSync(join(tmpdir(), "groundwork-data-streams-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, body: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(body));
  return path;
}

test("a data stream is declared by the index template that makes it", () => {
  const path = file("clicks.json", { index_patterns: ["clicks"], data_stream: {} });
  expect(DataStream.fromDirectory(folder, { onDrift: "ignore" })).toEqual([
    IndexTemplate.fromFile(path, { onDrift: "ignore" }),
  ]);
});

test("a file that makes no data stream, and one that is no valid template, fail together", () => {
  const plain = file("plain.json", { index_patterns: ["plain"] });
  const wrong = file("wrong.json", { index_patterns: ["wrong"], data_stream: true });
  const messages = [
    `data stream ${plain} has no data_stream: add "data_stream": {}, or move the file to catalog/index-templates/ if it is for plain indices`,
    `index template ${wrong} has data_stream true: it must be an object`,
  ];
  expect(() => DataStream.fromDirectory(folder)).toThrow(messages.join("\n"));
  rmSync(plain);
  rmSync(wrong);
});

test("a file that is not read fails", () => {
  const path = file("clicks.yml", {});
  expect(() => DataStream.fromDirectory(folder)).toThrow(
    `${path} is not read, since files with a data stream end with .json: rename it`,
  );
  rmSync(path);
});

test("the shipped one is among the index templates", () => {
  expect(catalog.indexTemplates.map(({ name }) => name)).toEqual([
    "application-logs",
    "logs_template",
  ]);
});
