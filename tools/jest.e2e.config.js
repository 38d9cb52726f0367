/** @type {import("jest").Config} */
module.exports = {
  ...require("../package.json").jest,
  rootDir: "..",
  testMatch: ["<rootDir>/__tests__/{e2e,quarantine}/**/*.test.ts"],
  testEnvironment: "<rootDir>/__tests__/support/chain.js",
  setupFilesAfterEnv: ["<rootDir>/__tests__/support/trials.ts"],
  // All suites share one engine, so test files run one at a time.
  maxWorkers: 1,
  // The maximum of a timer: tests have no timeout. The runner of a suite stops it if it makes no progress.
  testTimeout: 2 ** 31 - 1,
  forceExit: true,
};
