#!/usr/bin/env node
// npx groundwork, and every npm script: installs what is missing, then runs the program. Plain JavaScript, since it runs before anything
// is installed.
import { createRequire } from "node:module";
import "../tools/install.mjs";

// A reader that has seen enough, such as head, ends no deploy.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") {
    throw error;
  }
});
const require = createRequire(import.meta.url);
require("../tools/register.js");
require("./program/program.ts").runProgram(process.argv.slice(2));
