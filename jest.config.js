/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/__tests__/{alerts,unit,policy,snapshot,sidecar}/**/*.test.ts"],
  // The sidecars' tests wait more than they compute.
  testTimeout: 60_000,
  maxConcurrency: 8,
  maxWorkers: 3,
  transform: { "\\.ts$": "@swc/jest" },
};
