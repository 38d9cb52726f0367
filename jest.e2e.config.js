/** @type {import("jest").Config} */
module.exports = {
  ...require("./jest.config.js"),
  testMatch: ["<rootDir>/__tests__/{e2e,quarantine}/**/*.test.ts"],
  testEnvironment: "<rootDir>/__tests__/support/chain.js",
  setupFilesAfterEnv: ["<rootDir>/__tests__/support/trials.ts"],
  // One engine: one test file after the other.
  maxWorkers: 1,
  // A test has all the time that its suite has; the one who runs the suite ends it.
  testTimeout: 15 * 60_000,
  forceExit: true,
};
