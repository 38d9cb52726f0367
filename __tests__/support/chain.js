// Tests with real servers go on from what the one before left, so nothing is run after the first failure of a file, unless the file
// says at its top that its tests are independent: @jest-environment-options {"independent": true}
// What begins and ends is written to the file that the option "progressFile" names, so that its last line says what runs.
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

/** The title of a test or a describe block, after those of the blocks that it is in. */
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
        // One whose set-up has failed is not run either, and says why.
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
