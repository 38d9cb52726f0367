/** @type {import("jest").Config} */
module.exports = {
  ...require("../package.json").jest,
  rootDir: "..",
  testMatch: ["<rootDir>/__tests__/{e2e,quarantine}/**/*.test.ts"],
  testEnvironment: "<rootDir>/__tests__/support/chain.js",
  setupFilesAfterEnv: ["<rootDir>/__tests__/support/trials.ts"],
  // One engine: one test file after the other.
  maxWorkers: 1,
  // The longest that a timer takes: a test has no limit, and a suite that stands still is ended by the one who runs it.
  testTimeout: 2 ** 31 - 1,
  forceExit: true,
};
