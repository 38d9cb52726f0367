import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  deploy,
  docker,
  expectDone,
  type Finished,
  freshLab,
  NODES,
  OF_THE_LAB,
  run,
  TRIAL,
} from "../../support/lab";
import {
  expectAllDocuments,
  expectAllRecords,
  goneOneByOne,
  type Load,
  underLoad,
} from "../../support/load";
import { projectCopy } from "../../support/project-copy";

const copy = projectCopy();

beforeAll(() => freshLab());

describe("an unmanaged resource with a name of the platform", () => {
  let refused: Finished;

  beforeAll(() => {
    docker("network", "create", ...TRIAL, "project_net");
    docker("create", ...TRIAL, "--name", "prometheus", "groundwork-lab/base", "true");
    refused = copy.command("up");
  });

  afterAll(() => {
    run("docker", ["rm", "--force", "prometheus"]);
    run("docker", ["network", "rm", "project_net"]);
  });

  test("is reported with a remedy before anything is created", () => {
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain(
      "no changes made:\n- 1 network and 1 container (project_net, prometheus) already exist and were not created by Groundwork: remove them, use another engine (DOCKER_HOST), or join the network with `adopt: true` in lab/environments.ts\n",
    );
    expect(docker("ps", "--all", "--quiet", ...OF_THE_LAB)).toBe("");
    expect(docker("network", "ls", "--quiet", ...OF_THE_LAB)).toBe("");
  });
});

describe("a state that is lost while everything runs", () => {
  let refused: Finished;
  let kept: Finished;
  let adopted: Finished;
  let again: Finished;
  let load: Load;
  /** Returns the path and age of each volume. The engine's own creation date changes with every write. */
  const volumes = () =>
    docker(
      ...["volume", "inspect", "--format", "{{.Mountpoint}}"],
      ...docker("volume", "ls", "--quiet", ...OF_THE_LAB).split("\n"),
    )
      .split("\n")
      .map((path) => [path, statSync(path).ino, statSync(path).birthtimeMs]);
  let before: ReturnType<typeof volumes>;

  beforeAll(async () => {
    expectDone(deploy());
    rmSync(join(copy.folder, ".state", "lab"), { recursive: true });
    before = volumes();
    refused = copy.command("up");
    kept = copy.command("down");
    load = await underLoad("adopted", () => {
      adopted = copy.command("adopt");
    });
    again = copy.command("up");
  });

  test("is reported with the existing objects, their environment and a remedy, before anything is changed", () => {
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toMatch(
      /no changes made:\n- 2 networks and 10 containers \(.*, .*, .* and 9 more\) of environment "lab" exist but are not in this Terraform state: another clone deployed them, or the state was lost\. npm run adopt takes them over and keeps all stored data\n/,
    );
    expect(refused.output).not.toContain("Error:");
  });

  test("is reported by npm run down, which removes nothing", () => {
    expect(kept.exitCode).toBe(1);
    expect(kept.output).toMatch(
      /environment "lab" is not down: 2 networks and 10 containers \(.*\) exist but are not in this Terraform state: another clone deployed them, or the state was lost\. npm run adopt takes them over/,
    );
  });

  test("is recovered by npm run adopt, which keeps networks and volumes and replaces containers", () => {
    expectDone(adopted);
    for (const name of ["network infra_net", "network project_net", "volume kafka-1-data"]) {
      expect(adopted.output).toContain(`imported ${name}\n`);
    }
    expect(adopted.output).toContain("rolling replacement of kafka: kafka-1, kafka-2, kafka-3");
    expect(before).toHaveLength(10);
    expect(volumes()).toEqual(before);
    expect(again.output.match(/: no changes/g)).toHaveLength(5);
  });

  test.each(["opensearch", "kafka"] as const)(
    "%s stays available: a node stops only when the previous one is back",
    (cluster) => {
      expect(goneOneByOne(load, cluster)).toEqual(NODES[cluster]);
    },
  );

  test("loses no acknowledged write", () => {
    expectAllRecords(load);
    expectAllDocuments(load);
  });
});
