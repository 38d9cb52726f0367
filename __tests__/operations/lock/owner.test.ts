import { hasEnded, thisProcess } from "../../../operations/lock/owner";

let isHidden: boolean;

jest.mock("node:fs", () => {
  const fs = jest.requireActual("node:fs");
  return {
    ...fs,
    readFileSync(path: string, ...args: unknown[]) {
      if (isHidden && String(path).endsWith("/stat")) {
        throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
      }
      return fs.readFileSync(path, ...args);
    },
  };
});

test("a process of another user has not ended, where the system does not show when it started", () => {
  isHidden = false;
  const owner = thisProcess("npm run up");
  expect(hasEnded(owner)).toBe(false);
  isHidden = true;
  expect(hasEnded(owner)).toBe(false);
  expect(hasEnded({ ...owner, pid: "4194305" })).toBe(true);
});
