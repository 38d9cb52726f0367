import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { promisify } from "node:util";
import { copyOfProject, editCopy } from "../../../lab/bench/copy";
import { freshLab } from "../../support/lab";
import { openStateServer, type StateServer } from "../../support/state-server";

let copy: string;

beforeAll(async () => {
  await freshLab();
  copy = copyOfProject();
});

afterAll(() => rmSync(copy, { recursive: true }));

describe("a state that moves to where the whole team finds it", () => {
  const execute = promisify(execFile);
  const LAYERS = ["network", "storage", "data", "messaging", "observability"];
  let server: StateServer;
  let moved: string;
  let deployed: string;

  /** Not blocking: this process is the backend. */
  const command = async (name: string) =>
    (await execute("node", ["commands/groundwork.mjs", name], { cwd: copy, env: process.env }))
      .stdout;

  beforeAll(async () => {
    await command("up");
    server = await openStateServer();
    const state = `state: { kind: "http", address: "${server.address}" }`;
    editCopy(copy, "lab/environments.ts", 'name: "lab",', `name: "lab",\n  ${state},`);
    moved = await command("migrate-state");
    deployed = await command("up");
  });
  afterAll(() => server.close());

  test("is moved by one command, every stack", () => {
    for (const layer of LAYERS) {
      expect(moved).toMatch(new RegExp(`^lab-${layer} +moved$`, "m"));
    }
    expect([...server.states.keys()].sort()).toEqual(LAYERS.map((name) => `/lab-${name}`).sort());
  });

  test("is the state that the next deploy finds, locks, and has nothing to do with", () => {
    for (const layer of LAYERS) {
      expect(deployed).toContain(`${layer}: no changes`);
    }
    expect(server.locked()).toBeGreaterThanOrEqual(LAYERS.length);
  });
});
