import { labThree } from "../../../lab/environments";
import { enginePidAt, type First, killEngines } from "../../support/killed";
import { expectDone, npm } from "../../support/lab";
import {
  asApplication,
  containersByMachine,
  KAFKA,
  MACHINES,
  on,
  onMachines,
  openSearchOn,
  recordsOn,
} from "../../support/machines";

const OF_THE_LAB = ["--filter", `label=groundwork.environment=${labThree.name}`];
/** Long enough for the engines to start restarting containers. */
const DELAY_MS = 150;

const deploy = () => npm("lab", ["--machines", "3"]);
onMachines(deploy);

describe("three machines of which every process is killed", () => {
  beforeAll(() => {
    asApplication(
      "c",
      `echo kept | ${KAFKA}/kafka-console-producer.sh --bootstrap-server kafka:9092 --topic infra-events --command-property acks=all \
        && curl --silent --fail --request PUT --header 'Content-Type: application/json' --data '{"kept":true}' 'http://opensearch:9200/kept/_doc/1?refresh=true'`,
    );
  });

  test.each<First>(["containers", "engine"])(
    "are deployed again with their data after the %s of each died first",
    async (first) => {
      const engines = MACHINES.map(({ name, engine }) => ({
        pid: enginePidAt(engine),
        containers: on(name, "ps", "--quiet", "--no-trunc", ...OF_THE_LAB).split("\n"),
      }));
      await killEngines(first, engines, DELAY_MS);
      expectDone(deploy());
      expect(openSearchOn("b", "/kept/_count").count).toBe(1);
      expect(recordsOn("b")).toBe(1);
      expect(containersByMachine("--filter", "status=running", ...OF_THE_LAB)).toEqual({
        a: "exit-relay-a kafka-1 opensearch-1 prometheus",
        b: "exit-relay-b kafka-2 opensearch-2",
        c: "exit-relay-c kafka-3 opensearch-3",
      });
    },
  );
});
