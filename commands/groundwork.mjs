#!/usr/bin/env node
// Entry point of npx groundwork and all npm scripts. Installs missing dependencies first, so it is plain JavaScript.
import { createRequire } from "node:module";
import "../tools/install.mjs";

// A closed pipe, as with head, must not stop a deploy.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") {
    throw error;
  }
});
const require = createRequire(import.meta.url);
require("../tools/register.js");
require("./program/program.ts").runProgram(process.argv.slice(2));
