import { catalog } from "../../../../catalog";
import { laptop } from "../../../../environments/laptop";
import { EXIT_CHANGES, EXIT_DESTRUCTIVE } from "../../../../operations/changes/report";
import { type Declarations, declare } from "../../../support/os-init";
import { synthesis, testPreviews } from "../../../support/previews";

const SHARED = { template: { settings: { number_of_replicas: 1 } } };
const CLEAN = { description: "Cleans logs", processors: [{ lowercase: { field: "level" } }] };
const TESTS = { tests: [{ document: { level: "A" }, expected: { level: "a" } }] };

const withResources = (declarations: Declarations) =>
  synthesis(laptop, { ...catalog, ...declare(declarations) });

const both = {
  "component-templates/shared": SHARED,
  "ingest-pipelines/clean": CLEAN,
  "ingest-pipelines/clean.tests": TESTS,
};

testPreviews([
  [
    "a component template and a pipeline added",
    EXIT_CHANGES,
    () => [withResources({}), withResources(both)],
  ],
  [
    "both changed",
    EXIT_CHANGES,
    () => [
      withResources(both),
      withResources({
        "component-templates/shared": { template: { settings: { number_of_replicas: 2 } } },
        "ingest-pipelines/clean": { ...CLEAN, processors: [] },
        "ingest-pipelines/clean.tests": { tests: [{ document: {}, expected: null }] },
      }),
    ],
  ],
  ["both removed", EXIT_DESTRUCTIVE, () => [withResources(both), withResources({})]],
]);
