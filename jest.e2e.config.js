/** @type {import("jest").Config} */
module.exports = {
  ...require("./jest.config.js"),
  testMatch: ["<rootDir>/__tests__/e2e/**/*.test.ts"],
  // One engine: one test file after the other.
  maxWorkers: 1,
  testTimeout: 300_000,
};
