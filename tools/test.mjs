// npm test [-- [--changed] [<jest's arguments>]]: runs the compiler and the tests in parallel, and fails if one of them does. Shows the
// compiler's output last, where it is seen. With --changed, runs only the tests that a change affects.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
require("./register.js");
const { runCommand } = require("../operations/terminal/terminal.ts");

runCommand(async () => {
  const args = jestArguments(process.argv.slice(2));
  const [compiler, jest] = await Promise.all([
    run("pipe", require.resolve("typescript/bin/tsc"), "--build", "--noEmit", "--pretty"),
    run("inherit", require.resolve("jest/bin/jest"), ...args),
  ]);
  process.stderr.write(compiler.said);
  process.exitCode = compiler.code || jest.code;
});

function jestArguments(args) {
  if (!args.includes("--changed")) {
    return args;
  }
  const { selectChanged } = require("./changed.ts");
  const { tests, summary } = selectChanged(fileURLToPath(new URL("..", import.meta.url)));
  console.log(summary);
  return [...args.filter((arg) => arg !== "--changed"), "--runTestsByPath", ...tests];
}

/** Runs a command with Node. Returns its output and its exit code, which is 1 if it was killed. */
function run(stdout, ...command) {
  const child = spawn(process.execPath, command, { stdio: ["inherit", stdout, "inherit"] });
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  return new Promise((done) => {
    child.on("close", (code) => done({ code: code ?? 1, said }));
  });
}
