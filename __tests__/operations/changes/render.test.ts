import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RENDERERS } from "../../../operations/changes/render";
import type { Synthesis } from "../../../operations/synthesis/tree";
import { BASE, infraEvents, report, withDashboards, withTopics } from "../../support/previews";

describe("the formats", () => {
  const titled = withDashboards((files) => {
    Object.values(files)[0].title = "<b>|@me";
  });
  const head: Synthesis = new Map([
    ...titled,
    ...[...withTopics([{ ...infraEvents, partitions: 6 }])].filter(([stack]) =>
      stack.endsWith("-messaging"),
    ),
  ]);

  test("Markdown is a table for each stack, with what is destructive first and no markup of values", () => {
    expect(RENDERERS.markdown([report(BASE, head)])).toMatchSnapshot();
  });

  test("JSON is the whole report", () => {
    expect(JSON.parse(RENDERERS.json([report(BASE, head)]))).toEqual([report(BASE, head)]);
  });
});

test("the snapshots of previews contain what a reader looks for", () => {
  const folder = join(__dirname, "preview", "__snapshots__");
  const snapshot = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("");
  for (const text of [
    "topic infra-events: partitions 3 -> 6",
    "container loki: updated in place",
    "memory 512 -> 2048 MiB",
    "dashboard Kafka: 2 panels changed, 1 panel removed, refresh changed",
    "image apache/kafka:4.3.1 -> apache/kafka:4.4.0",
  ]) {
    expect(snapshot).toContain(text);
  }
});
