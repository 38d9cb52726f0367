import { catalog } from "../../../../catalog";
import { type Retention, RetentionPolicy } from "../../../../constructs";
import { laptop } from "../../../../environments/laptop";
import { EXIT_CHANGES, EXIT_DESTRUCTIVE } from "../../../../operations/changes/report";
import { synthesis, testPreviews } from "../../../support/previews";

const withRetention = (retention: Retention, indexManagement?: boolean) =>
  synthesis(
    { ...laptop, openSearch: { ...laptop.openSearch, indexManagement } },
    { ...catalog, retentionPolicies: RetentionPolicy.fromRetention(retention) },
  );

const STREAM = "application-logs";
const rollover = { days: 1 };
const keptFor = (days: number) => withRetention({ [STREAM]: { rollover, delete: { days } } });

testPreviews([
  ["a retention policy added", EXIT_CHANGES, () => [withRetention({}), keptFor(30)]],
  ["a longer retention", EXIT_CHANGES, () => [keptFor(30), keptFor(90)]],
  ["a shorter retention", EXIT_DESTRUCTIVE, () => [keptFor(30), keptFor(10)]],
  [
    "a deletion where there was none",
    EXIT_DESTRUCTIVE,
    () => [withRetention({ [STREAM]: { rollover } }), keptFor(30)],
  ],
  [
    "managed indices that change too",
    EXIT_DESTRUCTIVE,
    () => [
      keptFor(30),
      withRetention({ [STREAM]: { rollover, delete: { days: 30 }, managedIndices: "change" } }),
    ],
  ],
  ["a retention policy removed", EXIT_DESTRUCTIVE, () => [keptFor(30), withRetention({})]],
  [
    "an environment without index management",
    EXIT_DESTRUCTIVE,
    () => [keptFor(30), withRetention({ [STREAM]: { rollover } }, false)],
  ],
]);
