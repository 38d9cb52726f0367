import { laptop } from "../../../../environments/laptop";
import { EXIT_CHANGES, EXIT_DESTRUCTIVE } from "../../../../operations/changes/report";
import { BASE, synthesis, testPreviews } from "../../../support/previews";

const shorter = { loki: { retentionDays: 7 }, prometheus: { retentionDays: 10, retentionGiB: 5 } };
const longer = { loki: { retentionDays: 30 }, prometheus: { retentionDays: 30 } };

const keeping = (keep?: number) =>
  synthesis({ ...laptop, backup: { keep, repository: { kind: "volume" } } });

testPreviews([
  [
    "a shorter retention of logs and metrics",
    EXIT_DESTRUCTIVE,
    () => [BASE, synthesis({ ...laptop, ...shorter })],
  ],
  ["fewer backups", EXIT_DESTRUCTIVE, () => [keeping(), keeping(2)]],
  ["more backups", EXIT_CHANGES, () => [keeping(), keeping(30)]],
  ["a longer one", EXIT_CHANGES, () => [BASE, synthesis({ ...laptop, ...longer })]],
]);
