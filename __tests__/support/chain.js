// Tests with real servers build on each other, so nothing runs after the first failure of a file, unless the file
// declares its tests independent at its top: @jest-environment-options {"independent": true}
// Records the start and end of each test in the file of the option "progressFile", whose last line says what runs.
const { appendFileSync } = require("node:fs");
const { basename } = require("node:path");
const { TestEnvironment } = require("jest-environment-node");

const PROGRESS = {
  hook_start: "in",
  hook_success: "after",
  hook_failure: "after",
  test_fn_start: "in",
  test_done: "after",
};

/** Returns the title of a test or describe block, after the titles of the enclosing blocks. */
function titleOf({ name, parent }) {
  return parent === undefined ? "" : `${titleOf(parent)} ${name}`.trimStart();
}

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    const { independent, progressFile } = config.projectConfig.testEnvironmentOptions;
    this.independent = independent === true;
    this.progressFile = progressFile;
    this.testFile = basename(context.testPath);
    this.failed = false;
  }

  handleTestEvent(event) {
    if (this.progressFile && PROGRESS[event.name]) {
      appendFileSync(this.progressFile, `${PROGRESS[event.name]} ${this.nameOf(event)}\n`);
    }
    switch (event.name) {
      case "hook_failure":
      case "test_fn_failure":
        this.failed = !this.independent;
        break;
      case "run_describe_start":
        if (this.failed) {
          event.describeBlock.hooks = [];
        }
        break;
      case "test_start":
        // A test whose setup failed does not run either, and reports the reason.
        if (this.failed && event.test.errors.length === 0) {
          event.test.mode = "skip";
        }
    }
  }

  nameOf({ hook, test }) {
    return hook
      ? `${hook.type} of "${titleOf(hook.parent) || this.testFile}"`
      : `test "${titleOf(test)}"`;
  }
};
