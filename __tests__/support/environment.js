// cdktf keeps a stack trace for every token, and never shows it. Formatting it frame by frame with source maps, as jest does,
// takes as long as the rest of a synth.
const { isNativeError } = require("node:util").types;
const { TestEnvironment } = require("jest-environment-node");

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.global.Error.prepareStackTrace = (error, frames) =>
      isNativeError(error) ? Error.prepareStackTrace(error, frames) : "";
  }
};
