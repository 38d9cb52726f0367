import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DOCKER_CLI_IMAGE } from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { labThree } from "../../../lab/environments";
import { recordRun } from "../../../operations/drift/record";
import { programsOnPath } from "../../support/programs";

const { folder, program } = programsOnPath();
const called = join(folder, "called");
const calls = () => (existsSync(called) ? readFileSync(called, "utf8") : "");
beforeEach(() => {
  rmSync(called, { force: true });
  program("docker", `echo "$DOCKER_HOST: $*" >>${called}`);
});

const drift = { everyHours: 24 };

test("a run is recorded by a container with the labels that the exit relay reports, and no network", async () => {
  expect(await recordRun({ ...laptop, drift })).toEqual([]);
  expect(calls()).toBe(
    `: run --rm --pull never --name groundwork-drift-laptop --label groundwork.environment=laptop --label groundwork.service=drift --label groundwork.role=run --network none --read-only --cap-drop ALL --log-driver none --entrypoint true ${DOCKER_CLI_IMAGE}\n`,
  );
});

test("with several machines, the first one that is not excluded records it", async () => {
  expect(await recordRun({ ...labThree, drift, excludedMachines: ["a"] })).toEqual([]);
  expect(calls()).toContain("unix:///run/groundwork-lab/b.sock: run --rm");
  expect(calls().trim().split("\n")).toHaveLength(1);
});

test("an environment without a schedule records nothing", async () => {
  expect(await recordRun(laptop)).toEqual([]);
  expect(calls()).toBe("");
});

test("an engine that does not start it is a warning with the engine's own words", async () => {
  program("docker", "echo 'no such image' >&2; exit 125");
  expect(await recordRun({ ...laptop, drift })).toEqual([
    "this run is not recorded, so that the alert DriftRunMissing may fire: no such image",
  ]);
});
