import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../support/root";

const SAY = '"anew": say "again", "new" or "regenerate"';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lint-prose-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the linter prints of these files, and with which code it exits. */
function lint(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
  }
  const program = [join(ROOT, "tools", "lint-prose.mjs"), ...Object.keys(files)];
  const { status, stderr } = spawnSync(process.execPath, program, {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, findings: stderr.trim().split("\n") };
}

test("finds phrases in pages, docstrings, comments and messages, and says where", () => {
  const { status, findings } = lint({
    "page.md": "# Topics\n\n| how | when |\n| --- | --- |\n| Made anew | always |\n",
    "wrapped.md": "The nodes restart one\nafter the other.\n",
    "spelling.md": "Restart the docker engine.\n",
    "docstring.ts": "/**\n * Makes the\n * certificate anew.\n */\nexport const a = 1;\n",
    "wrapped.ts": "// The nodes restart one\n// after the other.\nexport const a = /'/;\n",
    "message.ts": 'throw new Error("made it anew");\n',
    "concatenation.ts": 'throw new Error("restarted one " +\n  "after the other");\n',
    "template.ts": `throw new Error(\`made \${names.join(", ")} anew\`);\n`,
    "nested.ts": `throw new Error(\`made \${n > 9 ? "many of them anew" : n}, all\`);\n`,
    "number.ts": `throw new Error(\`restarted \${n.length} times\`);\n`,
    "script.sh": "make_it # Makes it anew.\n",
    "output.sh": 'echo "made $it anew"\n',
  });
  expect(findings).toEqual([
    `page.md:5:8: ${SAY}`,
    'wrapped.md:1:19: "one after the other": say "one at a time" or "rolling"',
    'spelling.md:1:13: "docker": say "Docker"',
    `docstring.ts:3:16: ${SAY}`,
    'wrapped.ts:1:22: "one after the other": say "one at a time" or "rolling"',
    `message.ts:1:26: ${SAY}`,
    'concatenation.ts:1:28: "one after the other": say "one at a time" or "rolling"',
    `template.ts:1:43: ${SAY}`,
    `nested.ts:1:47: ${SAY}`,
    'number.ts:1:18: "restarted … times": say "once" for one, since counts agree with their nouns',
    `script.sh:1:20: ${SAY}`,
    `output.sh:1:16: ${SAY}`,
  ]);
  expect(status).toBe(1);
});

test("finds none in code, in names, and in what is right in another sense", () => {
  const { status, findings } = lint({
    "page.md": "# Topics\n\nRun `make anew`.\n\n```sh\nmake anew\n```\n\nOpen the file.\n",
    "names.ts": 'const anew = { rights: "anew" };\nexport const makeAnew = () => anew.rights;\n',
    "code.ts": "/** Runs `make anew`. */\nexport const pattern = /made it anew/;\n",
    "once.ts": `throw new Error(\`restarted \${n === 1 ? "once" : \`\${n} times\`}\`);\n`,
    "script.sh": "anew=1\nmake --anew $anew\n",
  });
  expect(findings).toEqual([""]);
  expect(status).toBe(0);
});
