// Tests with real servers go on from what the one before left, so nothing is run after the first failure of a file, unless the file
// says at its top that its tests are independent: @jest-environment-options {"independent": true}
const { TestEnvironment } = require("jest-environment-node");

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.independent = config.projectConfig.testEnvironmentOptions.independent === true;
    this.failed = false;
  }

  handleTestEvent(event) {
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
};
