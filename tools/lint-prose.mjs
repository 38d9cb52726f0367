// lint-prose.mjs [FILE...]: finds the phrases of lint-prose.yml in the pages, messages, docstrings and comments of these files, or of every
// file that git knows, and misspelled terms in pages. Prints a line for each, as a compiler does, and exits with 1 if there are any.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import kernel from "@textlint/kernel";
import markdown from "@textlint/textlint-plugin-markdown";
import terminology from "textlint-rule-terminology";
import ts from "typescript";
import { parse } from "yaml";

const ROOT = resolve(import.meta.dirname, "..");
const CONFIGURATION = parse(readFileSync(join(ROOT, "tools", "lint-prose.yml"), "utf8"));

/** What a character of a file is. */
const CODE = 0;
const PROSE = 1;
const HOLE = 2;
const BLANK = 3;
/** What the patterns see in place of a character that is not prose. */
const STAND_IN = { [CODE]: "\0", [HOLE]: "…", [BLANK]: " " };

/** How the prose of a file is found, by its path. Each reader marks the characters of a text. */
const READERS = [
  [/\.md$/, markPage],
  [/\.[cm]?[jt]s$/, markTypeScript],
  [/\.(java|go|alloy|c)$/, markMatches(/\/\/.*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|`[^`]*`/g)],
  [/\.sh$|\.ci\/run$/, markMatches(/(?<=^|\s)#.*(?:\n\s*#.*)*|"(?:\\.|[^"\\])*"|'[^']*'/gm)],
  [/\balerts\/.*\.yml$/, markMatches(/[\s\S]+/g)],
  [/\.(ya?ml|awk|cfg)$|Dockerfile$/, markMatches(/(?<=^|\s)#.*(?:\n\s*#.*)*/gm)],
  [
    /\bdashboards\/.*\.json$/,
    markMatches(
      /(?<="(?:title|description|label|content|displayName|legendFormat|noValue|text|value)": )"(?:\\.|[^"\\])*"/g,
    ),
  ],
];

const FORBIDDEN = CONFIGURATION.phrases.flatMap(({ not, say }) =>
  not.map((phrase) => ({ pattern: patternOf(phrase), say })),
);
const PATTERN = new RegExp(
  `(?<![\\w-])(?:${FORBIDDEN.map(({ pattern }) => `(${pattern})`).join("|")})(?![\\w-])`,
  "gi",
);

let findings = 0;
const files = process.argv.length > 2 ? process.argv.slice(2) : trackedFiles();
const readable = files.flatMap((file) => {
  const path = relative("", file);
  const [, mark] = READERS.find(([paths]) => paths.test(path)) ?? [];
  return mark === undefined ? [] : [{ path, file, mark }];
});
for (const { path, file, mark } of readable) {
  const text = readFileSync(file, "utf8");
  const kinds = new Uint8Array(text.length);
  const misspelled = await mark(text, kinds, path);
  for (const { index, message } of [...forbiddenIn(prose(text, kinds)), ...(misspelled ?? [])]) {
    const before = text.slice(0, index).split("\n");
    console.error(`${path}:${before.length}:${before.at(-1).length + 1}: ${message}`);
    findings += 1;
  }
}
console.log(`prose: ${readable.length} files, ${findings} findings`);
process.exitCode = findings > 0 ? 1 : 0;

function trackedFiles() {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const excluded = CONFIGURATION.exclude.map((pattern) => new RegExp(pattern));
  return execFileSync("git", list, { cwd: ROOT, encoding: "utf8" })
    .trim()
    .split("\n")
    .filter((path) => !excluded.some((pattern) => pattern.test(path)))
    .map((path) => join(ROOT, path))
    .filter((file) => existsSync(file));
}

/** A phrase as a regular expression. One between slashes is one already; a space in either is any white space. */
function patternOf(phrase) {
  const [, pattern] = /^\/(.*)\/$/.exec(phrase) ?? [];
  return (pattern ?? phrase.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).replaceAll(" ", "\\s+");
}

/** The text with stand-ins for what is not prose, so that offsets are those of the file. */
function prose(text, kinds) {
  let result = "";
  for (let start = 0, end = 0; start < text.length; start = end) {
    const kind = kinds[start];
    while (end < text.length && kinds[end] === kind) {
      end += 1;
    }
    result += kind === PROSE ? text.slice(start, end) : STAND_IN[kind].repeat(end - start);
  }
  return result;
}

function forbiddenIn(text) {
  return [...text.matchAll(PATTERN)].map(({ 0: found, index, ...groups }) => {
    const { say } = FORBIDDEN.find((_, number) => groups[number + 1] !== undefined);
    return { index, message: `"${found.replace(/\s+/g, " ").replace(/…+/g, "…")}": say ${say}` };
  });
}

/** Strings of one word are names rather than sentences. */
function isSentence(text) {
  return /\S\s+\S/.test(text);
}

/** Marks a comment or the text of a string, without code in backticks, escapes, decoration and interpolated variables. */
function markSentences(text, kinds, start, end) {
  kinds.fill(PROSE, start, end);
  const mark = (kind, pattern) => {
    for (const { 0: found, index } of text.slice(start, end).matchAll(pattern)) {
      kinds.fill(kind, start + index, start + index + found.length);
    }
  };
  mark(CODE, /```[\s\S]*?```|`[^`\n]+`|\{@link [^}]+\}/g);
  mark(BLANK, /\\.|(?<=\n)[ \t]*(?:\*|\/\/|#)/g);
  mark(HOLE, /\$\{[^}]*\}|\$\w+/g);
}

function markMatches(pattern) {
  return (text, kinds) => {
    for (const { 0: found, index } of text.matchAll(pattern)) {
      if (isSentence(found)) {
        markSentences(text, kinds, index, index + found.length);
      }
    }
  };
}

function markTypeScript(text, kinds, path) {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const literals = [];
  const visit = (node) => {
    const start = node.getStart(file);
    if (ts.isTemplateExpression(node)) {
      literals.push([start, node.end]);
      markTemplate(node, text, kinds, file);
      ts.forEachChild(node, visit);
    } else if (ts.isStringLiteralLike(node) || ts.isRegularExpressionLiteral(node)) {
      literals.push([start, node.end]);
      if (ts.isStringLiteralLike(node) && isSentence(node.text)) {
        markSentences(text, kinds, start + 1, node.end - 1);
      }
    } else {
      ts.forEachChild(node, visit);
      if (ts.isBinaryExpression(node)) {
        markConcatenation(node, kinds, file);
      }
    }
  };
  visit(file);
  for (const { 0: comment, index } of without(literals, text).matchAll(
    /\/\*[\s\S]*?\*\/|\/\/.*(?:\n\s*\/\/.*)*/g,
  )) {
    markSentences(text, kinds, index, index + comment.length);
  }
}

function markTemplate(node, text, kinds, file) {
  const parts = [node.head, ...node.templateSpans.map(({ literal }) => literal)];
  if (parts.some((part) => /\s/.test(part.text))) {
    const start = node.getStart(file);
    kinds.fill(HOLE, start, node.end);
    // In a hole of another template, its own text is a sentence by itself.
    kinds[start] = CODE;
    kinds[node.end - 1] = CODE;
    for (const part of parts) {
      const closing = ts.isTemplateTail(part) ? 1 : 2;
      markSentences(text, kinds, part.getStart(file) + 1, part.end - closing);
    }
  }
}

/** A sentence may go on in the next string that is added to one. */
function markConcatenation({ left, operatorToken, right }, kinds, file) {
  const last = ts.isBinaryExpression(left) ? left.right : left;
  const isText = (node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
  if (operatorToken.kind === ts.SyntaxKind.PlusToken && isText(last) && isText(right)) {
    kinds.fill(BLANK, last.end - 1, right.getStart(file) + 1);
  }
}

/** The text with its literals blanked, so that what looks like a comment is one. */
function without(literals, text) {
  let result = "";
  for (const [start, end] of literals) {
    if (start >= result.length) {
      result += text.slice(result.length, start) + " ".repeat(end - start);
    }
  }
  return result + text.slice(result.length);
}

/** Marks the text of a Markdown page, and returns what is misspelled in it. */
async function markPage(text, kinds, path) {
  const markStrings = ({ Syntax }) => ({
    [Syntax.Str]: ({ range: [start, end] }) => kinds.fill(PROSE, start, end),
  });
  const { messages } = await new kernel.TextlintKernel().lintText(text, {
    ext: ".md",
    filePath: path,
    plugins: [{ pluginId: "markdown", plugin: markdown.default }],
    rules: [
      { ruleId: "prose", rule: markStrings },
      { ruleId: "terminology", rule: terminology, options: CONFIGURATION.spelling },
    ],
  });
  return messages.map(({ range: [index], message }) => ({
    index,
    message: message.replace(/^Incorrect term: “(.*)”, use “(.*)” instead$/, '"$1": say "$2"'),
  }));
}
