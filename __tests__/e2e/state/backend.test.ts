import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { freshLab } from "../../support/lab";
import { projectCopy } from "../../support/project-copy";
import { openStateServer, type StateServer } from "../../support/state-server";

const copy = projectCopy();

beforeAll(() => freshLab());

describe("a local state that moves to a shared backend", () => {
  const execute = promisify(execFile);
  const LAYERS = ["network", "storage", "data", "messaging", "observability"];
  let server: StateServer;
  let moved: string;
  let deployed: string;

  /** Asynchronous, since this process is the backend. */
  const command = async (name: string) =>
    (
      await execute("node", ["commands/groundwork.mjs", name], {
        cwd: copy.folder,
        env: process.env,
      })
    ).stdout;

  beforeAll(async () => {
    await command("up");
    server = await openStateServer();
    const state = `state: { kind: "http", address: "${server.address}" }`;
    copy.edit("lab/environments.ts", 'name: "lab",', `name: "lab",\n  ${state},`);
    moved = await command("migrate-state");
    deployed = await command("up");
  });
  afterAll(() => server.close());

  test("is moved by one command, for every stack", () => {
    for (const layer of LAYERS) {
      expect(moved).toMatch(new RegExp(`^lab-${layer} +moved$`, "m"));
    }
    expect([...server.states.keys()].sort()).toEqual(LAYERS.map((name) => `/lab-${name}`).sort());
  });

  test("is found and locked by the next deploy, which changes nothing", () => {
    for (const layer of LAYERS) {
      expect(deployed).toContain(`${layer}: no changes`);
    }
    expect(server.locked()).toBeGreaterThanOrEqual(LAYERS.length);
  });
});
