import { laptop } from "../../../environments/laptop";
import { unmeasured } from "../../../operations/checks/observability";
import { Platform } from "../../../operations/platform/platform";
import { programsOnPath } from "../../support/programs";

const platform = new Platform(laptop);
const { program } = programsOnPath();

/** Has Prometheus answer with the output of a script. */
function prometheus(script: string): void {
  program("docker", `[ "$1 $2" = "exec prometheus" ] || exit 9\n${script}`);
}

test("a container without a memory metric, or with one that has only its id, is reported", async () => {
  prometheus(
    `echo '[{"metric":{"container_id":"a","name":"kafka-1"},"value":[0,"5"]},{"metric":{"container_id":"b"},"value":[0,"5"]}]'`,
  );
  expect(await unmeasured(platform, ["kafka-1"])).toEqual([]);
  expect(await unmeasured(platform, ["kafka-1", "loki"])).toEqual([
    "loki: no memory metric in Prometheus",
  ]);
});

test("the error of a failed query is shown", async () => {
  prometheus("echo 'connection refused' >&2; exit 1");
  expect(await unmeasured(platform, ["kafka-1"])).toEqual(["Prometheus: connection refused"]);
});
