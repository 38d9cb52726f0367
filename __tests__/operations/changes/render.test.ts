import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { laptop } from "../../../environments/laptop";
import { RENDERERS } from "../../../operations/changes/render";
import type { Synthesis } from "../../../operations/synthesis/tree";
import {
  BASE,
  infraEvents,
  report,
  synthesis,
  withDashboards,
  withTopics,
} from "../../support/previews";

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

describe("a plan", () => {
  const four = synthesis({ ...laptop, kafka: { brokers: 4 } });
  const refusals = ["kafka-5 has no disk"];
  const moves = ["kafka: 6 replicas of about 75 MiB move to kafka-4"];
  const afterwards = ["npm run finalize raises metadata.version"];
  const plan = { ...report(BASE, four), consequences: { refusals, moves, afterwards } };
  const joins =
    "kafka-4 joins kafka: npm run up gives it about 25 % of its data. npm run plan tells how many replicas move, and of how many MiB";

  test("shows in every format what the running clusters answer", () => {
    const terminal = RENDERERS.terminal([plan]);
    expect(terminal).toContain(`npm run up would refuse this\n  ! ${refusals[0]}\n`);
    expect(terminal).toContain(`warnings\n  ! ${moves[0]}\n`);
    expect(terminal).toContain(`afterwards\n  ! ${afterwards[0]}\n`);
    const markdown = RENDERERS.markdown([plan]);
    expect(markdown).toContain(`**⚠️ npm run up would refuse this**\n\n- ${refusals[0]}\n`);
    expect(markdown).toContain(`**Warnings**\n\n- ${moves[0]}\n`);
    expect(markdown).toContain(`**Afterwards**\n\n- ${afterwards[0]}\n`);
    expect(JSON.parse(RENDERERS.json([plan]))[0].consequences).toEqual(plan.consequences);
  });

  test("replaces what a preview can say of nodes that join and leave", () => {
    expect(RENDERERS.terminal([plan])).not.toContain(joins);
    expect(RENDERERS.terminal([report(BASE, four)])).toContain(`warnings\n  ! ${joins}\n`);
    expect(RENDERERS.terminal([report(four, BASE)])).toContain(
      "  ! kafka-4 leaves kafka: npm run up first moves its data to the 3 nodes that stay, and refuses if they cannot take it. npm run plan tells whether it refuses, and how much moves\n",
    );
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
