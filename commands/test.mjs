// npm test [-- <jest's arguments>]: the compiler beside the tests, since neither waits for the other. Fails when one of them does; what the
// compiler says comes last, where it is seen.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

const { resolve } = createRequire(import.meta.url);
const [compiler, jest] = await Promise.all([
  run("pipe", resolve("typescript/bin/tsc"), "--build", "--noEmit", "--pretty"),
  run("inherit", resolve("jest/bin/jest"), ...process.argv.slice(2)),
]);
process.stderr.write(compiler.said);
process.exitCode = compiler.code || jest.code;

/** Ends with its exit code; one that was killed has failed. */
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
