import { laptop } from "../../../environments/laptop";
import { unmeasured } from "../../../operations/checks/observability";
import { Platform } from "../../../operations/platform/platform";
import { programsOnPath } from "../../support/programs";

const platform = new Platform(laptop);
const { program } = programsOnPath();

/** A Prometheus that answers so. */
function prometheus(script: string): void {
  program("docker", `[ "$1 $2" = "exec prometheus" ] || exit 9\n${script}`);
}

test("a container whose memory is measured under no name, or under its id alone, is told", async () => {
  prometheus(
    `echo '[{"metric":{"container_id":"a","name":"kafka-1"},"value":[0,"5"]},{"metric":{"container_id":"b"},"value":[0,"5"]}]'`,
  );
  expect(await unmeasured(platform, ["kafka-1"])).toEqual([]);
  expect(await unmeasured(platform, ["kafka-1", "loki"])).toEqual([
    "loki: Prometheus has no memory of it",
  ]);
});

test("a Prometheus that does not answer is told in its own words", async () => {
  prometheus("echo 'connection refused' >&2; exit 1");
  expect(await unmeasured(platform, ["kafka-1"])).toEqual(["Prometheus: connection refused"]);
});
