import type { EngineAddress, Environment } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { labThree } from "../../../lab/environments";
import { CommandError } from "../../../operations/terminal/terminal";
import { removeOrphans } from "../../../operations/volumes/remove-orphans";
import { RENDERERS } from "../../../operations/volumes/render";
import { listVolumes } from "../../../operations/volumes/volumes";

/** An engine's volumes with their environment, the mounts of its containers, and what its volumes answer when they are measured. */
interface FakeEngine {
  volumes: Record<string, string>;
  mounts?: Record<string, string>;
  measures?: readonly string[];
  /** Containers that measure volumes for another run. */
  measuring?: readonly string[];
  gone?: boolean;
  withoutImage?: boolean;
  /** Volumes that a container mounts by the time that they are removed. */
  taken?: readonly string[];
}

let engines: Record<string, FakeEngine>;
/** Every docker command, after the machine's name. */
let calls: string[];

const lines = (record: Record<string, string> = {}) =>
  Object.entries(record)
    .map((pair) => pair.join("\t"))
    .join("\n");

async function fakeDocker(address: EngineAddress | undefined, ...args: string[]) {
  const name = /(\w+)\.sock$/.exec(address?.host ?? "")?.[1] ?? "local";
  const engine = engines[name] ?? { volumes: {} };
  calls.push(`${name}: ${args.join(" ")}`);
  const failure = (output: string) => ({ exitCode: 1, output });
  if (engine.gone) {
    return failure("Cannot connect to the Docker daemon");
  }
  if (args[0] === "container") {
    return { exitCode: 0, output: "Total reclaimed space: 0B" };
  }
  if (args.includes("label=groundwork.volumes")) {
    return { exitCode: 0, output: (engine.measuring ?? []).join("\n") };
  }
  if (args[0] === "ps") {
    return { exitCode: 0, output: lines(engine.mounts) };
  }
  if (args[0] === "run") {
    return engine.withoutImage
      ? failure("docker: Error response from daemon: No such image: docker:28.5.2-cli.")
      : { exitCode: 0, output: (engine.measures ?? []).join("\n") };
  }
  if (args[1] === "rm") {
    if (engine.taken?.includes(args[2])) {
      return failure(`remove ${args[2]}: volume is in use`);
    }
    delete engine.volumes[args[2]];
    return { exitCode: 0, output: args[2] };
  }
  return { exitCode: 0, output: lines(engine.volumes) };
}

jest.mock("../../../operations/engine/docker", () => ({
  askEngine: (engine: EngineAddress, ...args: string[]) => fakeDocker(engine, ...args),
  tryDockerAt: (engine: EngineAddress, ...args: string[]) => fakeDocker(engine, ...args),
}));

let typed: string;
let asked: string;
jest.mock("node:readline/promises", () => ({
  createInterface: () => ({
    async question(text: string) {
      asked = text;
      return typed;
    },
    once: () => undefined,
    close: () => undefined,
  }),
}));

const { isTTY } = process.stdin;
let said: string[];
beforeEach(() => {
  calls = [];
  said = [];
  asked = "";
  process.stdin.isTTY = true;
  jest.spyOn(console, "log").mockImplementation((line) => said.push(line));
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => {
  process.stdin.isTTY = isTTY;
});

const { security: _, ...plaintext } = laptop;
const environment: Environment = plaintext;

/** 2026-11-29 12:03:44 UTC. */
const WRITTEN = 1795953824;

const oneMachine = (): Record<string, FakeEngine> => ({
  local: {
    volumes: {
      "kafka-1-data": "laptop",
      "kafka-4-data": "laptop",
      "kafka-5-data": "laptop",
      "opensearch-9-data": "laptop",
      "shop-data": "laptop",
      "grafana-data": "",
      "loki-data": "production",
      "kafka-6-data": "production",
      "team-data": "",
    },
    mounts: {
      "kafka-1": "kafka-1-data",
      "kafka-4": "kafka-4-data,/host/socket",
      backup: "shop-data,team-data",
      idle: "",
    },
    measures: [
      `kafka-5-data 1536 ${WRITTEN}`,
      "kafka-1-data 3145728 -",
      "kafka-4-data 100 -",
      `opensearch-9-data - ${WRITTEN}`,
      "shop-data 12 -",
      "grafana-data 4 -",
    ],
  },
});

const shown = async (of = environment) => RENDERERS.terminal(of, await listVolumes(of));

describe("the volumes of an environment", () => {
  beforeEach(() => {
    engines = oneMachine();
  });

  test("are shown with what they belong to, their size and their state; those of others are not", async () => {
    expect((await shown()).split("\n").slice(0, 7)).toEqual([
      "volume             belongs to    size       state",
      "grafana-data       grafana       4 KiB      not used: no container mounts it",
      "kafka-1-data       kafka-1       3.0 GiB    used by kafka-1",
      "kafka-4-data       kafka-4       100 KiB    no longer declared, used by kafka-4",
      "kafka-5-data       kafka-5       1.5 MiB    orphan, last written 2026-11-29 12:03 UTC",
      "opensearch-9-data  opensearch-9  not known  orphan, last written 2026-11-29 12:03 UTC",
      "shop-data          shop          12 KiB     no longer declared, used by backup",
    ]);
  });

  test("have below them how the data comes back, and what the time means", async () => {
    expect((await shown()).split("\n").slice(7)).toEqual([
      "",
      "kafka-4-data: kafka-4 is no longer declared. npm run up removes the container and keeps the volume",
      "",
      "kafka-5-data: to get its data back, set kafka.brokers to 5 or more in environments/laptop.ts, and run npm run up, which uses this volume again",
      "",
      "opensearch-9-data: to get its data back, set openSearch.nodes to 9 or more in environments/laptop.ts, and run npm run up, which uses this volume again",
      "",
      "shop-data: shop is no longer declared. Remove backup first: it mounts the volume",
      "",
      "An orphan was still in use when it was last written: that is the newest modification of a file or folder in it.",
      "npm run volumes -- --remove-orphans removes 2 orphans and the data (at least 1.5 MiB).",
    ]);
  });

  test("are no orphans once their node is declared again", async () => {
    const declared = { ...environment, kafka: { ...environment.kafka, brokers: 5 } };
    const { volumes } = await listVolumes(declared);
    expect(volumes.filter(({ orphan }) => orphan).map(({ name }) => name)).toEqual([
      "opensearch-9-data",
    ]);
    expect(await shown(declared)).toMatch(/^kafka-5-data +kafka-5 .* not used: /m);
  });

  test("are read-only in the container that measures them, which has no network and is not downloaded", async () => {
    await listVolumes(environment);
    const run = calls.filter((call) => call.startsWith("local: run "));
    expect(run).toHaveLength(1);
    expect(run[0]).toMatch(/--pull never .*--network none --read-only/);
    const mounts = [...run[0].matchAll(/--mount (\S+)/g)].map(([, mount]) => mount);
    expect(mounts).toHaveLength(6);
    for (const mount of mounts) {
      expect(mount).toMatch(
        /^type=volume,source=(\S+),target=\/volumes\/\1,readonly,volume-nocopy$/,
      );
    }
  });

  test("are not used by the container of another run that measures them, and left-over ones are removed first", async () => {
    engines.local.mounts = { ...engines.local.mounts, busy_curie: "kafka-5-data,kafka-1-data" };
    engines.local.measuring = ["busy_curie"];
    const { volumes } = await listVolumes(environment);
    const mountedBy = Object.fromEntries(volumes.map((volume) => [volume.name, volume.mountedBy]));
    expect(mountedBy).toMatchObject({ "kafka-1-data": ["kafka-1"], "kafka-5-data": [] });
    expect(volumes.find(({ name }) => name === "kafka-5-data")?.orphan).toBe(true);
    expect(calls[0]).toBe(
      "local: container prune --force --filter label=groundwork.volumes --filter until=2m",
    );
    expect(calls.find((call) => call.startsWith("local: run "))).toContain(
      " --label groundwork.volumes ",
    );
  });

  test("are written as JSON for scripts", async () => {
    const written = JSON.parse(RENDERERS.json(environment, await listVolumes(environment)));
    expect(written).toHaveLength(6);
    expect(written[3]).toEqual({
      name: "kafka-5-data",
      container: "kafka-5",
      declared: false,
      mountedBy: [],
      orphan: true,
      sizeBytes: 1536 * 1024,
      lastWrittenAt: "2026-11-29T12:03:44.000Z",
    });
  });

  test("are shown without sizes if the image that measures them is missing, and the message says why", async () => {
    engines.local.withoutImage = true;
    const listing = await listVolumes(environment);
    expect(listing.problems).toEqual([
      "sizes and times are not known, since no container of docker:28.5.2-cli ran: docker: Error response from daemon: No such image: docker:28.5.2-cli.",
    ]);
    expect(RENDERERS.terminal(environment, listing)).toMatch(
      /^kafka-5-data +kafka-5 +not known +orphan, last written at an unknown time$/m,
    );
  });

  test("are none before the first deploy", async () => {
    engines = { local: { volumes: {} } };
    expect(await shown()).toBe('environment "laptop" has no volumes; npm run up creates them');
    expect(calls.filter((call) => call.includes(": run "))).toEqual([]);
  });
});

describe("on several machines", () => {
  test("a volume on another machine than its node is an orphan, and the message names an engine that does not answer", async () => {
    engines = {
      a: {
        volumes: { "kafka-1-data": "lab-three", "kafka-2-data": "lab-three" },
        mounts: { "kafka-1": "kafka-1-data" },
        measures: [`kafka-2-data 4 ${WRITTEN}`],
      },
      b: { volumes: { "kafka-2-data": "" }, mounts: { "kafka-2": "kafka-2-data" } },
      c: { volumes: {}, gone: true },
    };
    const listing = await listVolumes(labThree);
    expect(listing.problems).toEqual([
      "machine c: the Docker engine does not answer: Cannot connect to the Docker daemon",
    ]);
    const text = RENDERERS.terminal(labThree, listing);
    expect(text).toMatch(/^volume +machine +belongs to +size +state$/m);
    expect(text).toMatch(/^kafka-1-data +a +kafka-1 +not known +used by kafka-1$/m);
    expect(text).toMatch(/^kafka-2-data +a +kafka-2 +4 KiB +orphan, last written 2026-11-29/m);
    expect(text).toMatch(/^kafka-2-data +b +kafka-2 +not known +used by kafka-2$/m);
    expect(text).toContain(
      'kafka-2-data: kafka-2 is declared on machine b, with a volume of its own there. To use this one, set placement to { "kafka-2": "a" } in lab/environments.ts, and run npm run up',
    );
  });

  test("an excluded machine is not asked", async () => {
    engines = {};
    await listVolumes({ ...labThree, excludedMachines: ["c"] });
    expect(new Set(calls.map((call) => call[0]))).toEqual(new Set(["a", "b"]));
  });

  test("an orphan is removed on its own machine", async () => {
    engines = { a: { volumes: { "kafka-2-data": "lab-three" } }, b: { volumes: {} } };
    typed = "lab-three";
    await removeOrphans(labThree, (await listVolumes(labThree)).volumes, async () => undefined);
    expect(calls.filter((call) => call.includes("volume rm"))).toEqual([
      "a: volume rm kafka-2-data",
    ]);
    expect(said).toEqual(["removed kafka-2-data on machine a. Freed: size not known"]);
  });
});

describe("orphans are removed", () => {
  const remove = async (stillHeld = async () => {}) =>
    removeOrphans(environment, (await listVolumes(environment)).volumes, stillHeld);
  const removed = () => calls.filter((call) => call.includes(" rm "));
  const LISTING = [
    "- kafka-5-data (1.5 MiB, last written 2026-11-29 12:03 UTC)",
    "- opensearch-9-data (size not known, last written 2026-11-29 12:03 UTC)",
  ].join("\n");

  beforeEach(() => {
    engines = oneMachine();
    typed = "laptop";
  });

  test("and nothing else, after the environment's name is typed", async () => {
    await remove();
    expect(asked).toBe(
      `This destroys 2 volumes of environment "laptop":\n${LISTING}\nTheir data cannot be restored. Type the environment's name to continue: `,
    );
    expect(removed()).toEqual([
      "local: volume rm kafka-5-data",
      "local: volume rm opensearch-9-data",
    ]);
    expect(said).toEqual(["removed kafka-5-data and opensearch-9-data. Freed: at least 1.5 MiB"]);
  });

  test("with the backups of an environment that declares none any more, and says that they are backups", async () => {
    engines.local = { volumes: { "opensearch-backups": "laptop" } };
    expect(await shown()).toContain(
      'opensearch-backups: to get its data back, set backup to { repository: { kind: "volume" } } in environments/laptop.ts, and run npm run up, which uses this volume again',
    );
    await remove();
    expect(asked).toContain(
      "- opensearch-backups (size not known, last written at an unknown time; all backups of OpenSearch)\n",
    );
  });

  test("not if another command took the lock while the name was typed", async () => {
    const stillHeld = async () => {
      throw new CommandError("another command has the lock");
    };
    await expect(remove(stillHeld)).rejects.toThrow("another command has the lock");
    expect([asked === "", removed()]).toEqual([false, []]);
  });

  test("not if another name is typed", async () => {
    typed = "yes";
    await expect(remove()).rejects.toThrow('the name is "laptop", not "yes": no changes made');
    expect(removed()).toEqual([]);
  });

  test("not without a terminal, which names them", async () => {
    process.stdin.isTTY = false;
    await expect(remove()).rejects.toThrow(
      `no changes made: --remove-orphans destroys data and needs a confirmation, but standard input is not a terminal. It would remove:\n${LISTING}`,
    );
    expect([asked, removed()]).toEqual(["", []]);
  });

  test("except one that a container mounts meanwhile, with the engine's reason", async () => {
    engines.local.taken = ["kafka-5-data"];
    await expect(remove()).rejects.toThrow(
      "kafka-5-data remains: remove kafka-5-data: volume is in use",
    );
    expect(said).toEqual(["removed opensearch-9-data. Freed: size not known"]);
    expect(engines.local.volumes).toHaveProperty("kafka-5-data");
  });

  test("only if there are any", async () => {
    engines.local.volumes = { "kafka-1-data": "laptop" };
    await remove();
    expect([asked, said]).toEqual(["", ['environment "laptop" has no orphaned volumes']]);
  });
});
