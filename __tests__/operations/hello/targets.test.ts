import { chooseIndex, chooseTopic } from "../../../operations/hello/targets";

const TOPICS = [
  { name: "states", partitions: 1, configs: { "cleanup.policy": "compact" } },
  { name: "orders-in", partitions: 1 },
  { name: "events", partitions: 1 },
] as const;

const app = (name: string, permissions: object) => ({ name, ...permissions });

test("a topic is one that is not compacted, also with a prefix", () => {
  expect(chooseTopic({ readers: [] }, TOPICS)).toEqual({ name: "orders-in" });
  const writers = [
    app("a", { topics: { states: "write" } }),
    app("b", { topics: { "ev*": "readwrite" } }),
  ];
  expect(chooseTopic({ writers, readers: writers }, TOPICS)).toMatchObject({
    name: "events",
    writer: "b",
    reader: "b",
  });
  expect(chooseTopic({ readers: [] }, TOPICS.slice(0, 1))).toEqual({
    skipped: "no topic without compaction is declared: add one to catalog/topics.ts",
  });
});

test("the writer reads if it may, otherwise the first that may, otherwise the declaration is named", () => {
  const writer = app("w", { topics: { events: "write" } });
  const reader = app("r", { topics: { events: "read" } });
  expect(chooseTopic({ writers: [writer], readers: [writer, reader] }, TOPICS)).toMatchObject({
    reader: "r",
    unread: undefined,
  });
  expect(chooseTopic({ writers: [writer], readers: [writer] }, TOPICS)).toMatchObject({
    unread:
      'no application may read events: add one to catalog/applications.ts with topics: { "events": "read" }, and run npm run up',
  });
});

test.each([
  ["logs-shop-*", "logs-shop-hello", "logs-*"],
  ["application-logs", "application-logs", "application-log?"],
  ["a.b?", "a.bx", "a.b*"],
])("an index of %s is %s, which %s may read", (pattern, name, read) => {
  const writer = app("w", { indices: { other: "read", [pattern]: "append" } });
  const stranger = app("s", {
    indices: { [`x${read}`]: "read", [name.replace(".", "-")]: "append" },
  });
  const reader = app("r", { indices: { [read]: "read" } });
  const readers = [writer, stranger, reader];
  expect(chooseIndex({ writers: [writer], readers })).toMatchObject({
    name,
    writer: "w",
    reader: "r",
  });
});
