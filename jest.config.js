/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/__tests__/{unit,policy,snapshot,sidecar}/**/*.test.ts"],
  // The sidecars' tests wait more than they compute.
  maxConcurrency: 12,
  maxWorkers: 4,
  transform: { "\\.ts$": "@swc/jest" },
};
