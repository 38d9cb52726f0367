// Makes Node read TypeScript: `node -r ./tools/register.js main.ts`. Caches the output of sucrase, which would take a third of the time
// of every command.
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { version } = require("sucrase/package.json");

const CACHE = join(__dirname, "..", "node_modules", ".cache", "sucrase");
/** @type {import("sucrase").Options} */
const OPTIONS = { transforms: ["typescript", "imports"] };

require.extensions[".ts"] = (module, file) => module._compile(javaScriptOf(file), file);

function javaScriptOf(file) {
  const source = readFileSync(file, "utf8");
  const hash = createHash("sha256").update(JSON.stringify([version, OPTIONS, source]));
  const kept = join(CACHE, `${hash.digest("hex")}.js`);
  try {
    return readFileSync(kept, "utf8");
  } catch {
    const { code } = require("sucrase").transform(source, { ...OPTIONS, filePath: file });
    keep(kept, code);
    return code;
  }
}

/** Writes to the cache. Ignores errors: without the cache, every command transforms the file again. */
function keep(path, code) {
  const whole = `${path}.${process.pid}`;
  try {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(whole, code);
    // Atomic, so that parallel commands never read half a file.
    renameSync(whole, path);
  } catch {}
}
