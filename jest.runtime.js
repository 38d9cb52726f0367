// jest gives every test file modules of its own, which is most of what a test of a synth computes: cdktf alone is read and compiled
// for a quarter of a second, and runs cold. The libraries of a synth, and what the project declares with them, keep nothing that a test
// could change, so each worker loads them once, outside of the test files' contexts. Not so what tells a Date by its class, as
// @peculiar/x509 does, or what a test replaces.
const { createRequire } = require("node:module");
const { dirname, join, sep } = require("node:path");
const vm = require("node:vm");
const { default: Runtime } = require("jest-runtime");
require("./register");

const LIBRARIES =
  /^(cdktf|constructs|@cdktf\/provider-\w+|@grafana\/lezer-logql|@lezer\/\w+|@prometheus-io\/lezer-promql|jsonc-parser|undici|yaml)(\/|$)/;
const DECLARATIONS = ["constructs", "catalog", "stacks"].map((folder) => join(__dirname, folder));

// cdktf has a stack trace written for every token, which jest maps to the sources frame by frame: half of a synth's time.
require("cdktf/lib/tokens/private/stack-trace").captureStackTrace = () => [];

// The rest, which is mostly jest's own, a test file has anew. V8 keeps what it has compiled of a script, inner functions too, but not of
// what compileFunction is given, so that every file would compile everything.
vm.compileFunction = (code, parameters, { filename, parsingContext }) =>
  new vm.Script(`(function (${parameters}) {${code}\n})`, { filename }).runInContext(
    parsingContext,
  );

module.exports = class extends Runtime {
  constructor(config, environment, ...others) {
    super(config, environment, ...others);
    // What is shared has the process's own variables, so a test file has them too, and gives them back as they were.
    this.variables = { ...process.env };
    environment.global.process.env = process.env;
  }

  teardown() {
    for (const name of Object.keys(process.env)) {
      delete process.env[name];
    }
    Object.assign(process.env, this.variables);
    return super.teardown();
  }

  requireModuleOrMock(from, name) {
    const path = join(dirname(from), name);
    const shared = name.startsWith(".")
      ? DECLARATIONS.some((folder) => path === folder || path.startsWith(`${folder}${sep}`))
      : LIBRARIES.test(name);
    return shared ? createRequire(from)(name) : super.requireModuleOrMock(from, name);
  }
};
