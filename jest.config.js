/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/__tests__/{unit,policy,snapshot,sidecar}/**/*.test.ts"],
  transform: { "\\.ts$": "@swc/jest" },
};
