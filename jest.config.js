/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "<rootDir>/__tests__/support/environment.js",
  testMatch: ["<rootDir>/__tests__/{alerts,unit,policy,snapshot,sidecar}/**/*.test.ts"],
  // What waits for a state is patient: how long that takes is the machine's matter.
  testTimeout: 300_000,
  maxConcurrency: 8,
  maxWorkers: 3,
  // GitHub's parser of workflows is an ES module that imports JSON, which Node 20 refuses.
  transform: { "\\.ts$": "@swc/jest", "/@actions/.*\\.js$": "@swc/jest" },
  transformIgnorePatterns: ["/node_modules/(?!@actions/)"],
  moduleNameMapper: {
    "^(@actions/(?:expressions|workflow-parser))$": "<rootDir>/node_modules/$1/dist/index.js",
    "^(@actions/(?:expressions|workflow-parser))/(.*)$": "<rootDir>/node_modules/$1/dist/$2.js",
  },
};
