import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./root";

export interface Page {
  /** The path relative to the project. */
  readonly path: string;
  readonly text: string;
}

/** All pages for users. */
export const PAGES: readonly Page[] = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  join("lab", "README.md"),
  ...(readdirSync(join(ROOT, "docs"), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
].map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

export interface DocumentedCommand {
  readonly page: string;
  readonly command: string;
  /** Whether the page marks it as needing more than the lab has: other images, a registry, or the machine's kernel. */
  readonly realHost: boolean;
}

/** Matches text that starts like a complete command. */
const COMMAND = /^(npm (test|ci|run \S+)|npx cdktf \S+|docker \S+ \S|sudo |terraform \S+ \S+ \S)/;

/** A command that the suite docs runs in the lab as it stands. */
export const RUN_IN_LAB = /^(docker|curl) /;

/**
 * Returns every command of the pages: the lines of shell blocks, and inline code that is a command. A block that needs a real host is
 * marked `sh real-host`. Inline code that needs one is followed by the comment `<!-- real host -->`.
 */
export function documentedCommands(): DocumentedCommand[] {
  // In the reference, commands are only part of descriptions.
  return PAGES.filter(({ path }) => !path.startsWith("docs/reference/")).flatMap(
    ({ path, text }) => {
      const commands: DocumentedCommand[] = [];
      const add = (command: string, realHost: boolean) =>
        commands.push({ page: path, command, realHost });
      const prose = text.replace(/^```(\w*)(.*)\n([\s\S]*?)^```$/gm, (_, language, mark, block) => {
        const joined = block.trim().replace(/ \\\n\s*/g, " ");
        for (const line of language === "sh" ? joined.split("\n") : []) {
          add(line.replace(/\s+# .*$/, ""), mark.trim() === "real-host");
        }
        return "";
      });
      for (const [, code, mark] of prose.matchAll(/`([^`\n]+)`(<!-- real host -->)?/g)) {
        if (COMMAND.test(code)) {
          add(code, mark !== undefined);
        }
      }
      return commands;
    },
  );
}

/** The test that runs each command, and the call in it, except those of RUN_IN_LAB. */
export const TESTED: Readonly<Record<string, readonly [string, string]>> = {
  "npm run adopt": ["__tests__/e2e/adopt/adopt.test.ts", 'command("adopt")'],
  "npm run up -- --allow-data-loss": [
    "__tests__/e2e/applies/applies.test.ts",
    'npm("up", ["--allow-data-loss"])',
  ],
  "npm run rotate -- certificates --due": [
    "__tests__/operations/rotation/rotate.test.ts",
    '"certificates", { due: true }',
  ],
  "npm run rotate -- certificates --only-if-due": [
    "__tests__/operations/rotation/rotate.test.ts",
    '"certificates", { onlyIfDue: true }',
  ],
  "npm run rotate -- certificates --revoke": [
    "__tests__/operations/rotation/rotate.test.ts",
    '"certificates", { revoke: true }',
  ],
  "npm run rotate -- <application> --exclude-machine c": [
    "__tests__/commands/rotate.test.ts",
    'excludeMachine: "c"',
  ],
  "npm run import -- dashboard.json": [
    "__tests__/commands/import.test.ts",
    'runHere(["import", file',
  ],
  "npm run import -- rules.yml": ["__tests__/commands/import.test.ts", 'runHere(["import", file'],
  "npm run import -- template.json": [
    "__tests__/commands/import.test.ts",
    'runHere(["import", file',
  ],
  "npm run backup": ["__tests__/e2e/backup/backup.test.ts", 'command("backup")'],
  "npm run backup -- --take-over": [
    "__tests__/e2e/backup/backup.test.ts",
    'command("backup", "--take-over", "--yes")',
  ],
  "npm run restore": ["__tests__/e2e/backup/backup.test.ts", 'command("restore")'],
  "npm run restore -- latest": [
    "__tests__/e2e/backup/backup.test.ts",
    'command("restore", "latest")',
  ],
  "npm run inventory": [
    "__tests__/e2e/inventory/inventory.test.ts",
    'project.command("inventory")',
  ],
  "npm run inventory -- --remove topic/<name>": [
    "__tests__/e2e/inventory/inventory.test.ts",
    'project.command("inventory", "--remove", ...ids, "--yes")',
  ],
  "npm run drift": ["__tests__/e2e/lifecycle/platform.test.ts", 'npm("drift")'],
  "npm run volumes": ["__tests__/e2e/lifecycle/platform.test.ts", 'npm("volumes")'],
  "npm run volumes -- --format json": [
    "__tests__/e2e/lifecycle/platform.test.ts",
    'npm("volumes", ["--format", "json"])',
  ],
  "npm run volumes -- --remove-orphans": [
    "__tests__/e2e/lifecycle/platform.test.ts",
    'npm("volumes", ["--remove-orphans"])',
  ],
  "npm run hello": ["__tests__/e2e/hello/hello.test.ts", 'npm("hello")'],
  "npm run hello -- <application>": [
    "__tests__/e2e/hello/secured.test.ts",
    'project.command("hello", "shop")',
  ],
  "npm run versions": ["__tests__/support/versions.ts", 'command("versions")'],
  "npm run finalize": ["__tests__/e2e/upgrades/upgrades.test.ts", 'command("finalize")'],
  "npm run import": ["__tests__/commands/import.test.ts", 'runHere(["import", file'],
  "npm run jar": ["__tests__/constructs/kafka/kafka-init/jar.test.ts", "buildAgain("],
  "npm run topic-configs": [
    "__tests__/constructs/kafka/topic-configs.test.ts",
    '"topic-configs", "make.mjs"',
  ],
  "npm ci": ["tools/install.mjs", "npm ci"],
  "npm test": [".ci/run", "npm test"],
  "npm test -- --changed": ["__tests__/tools/changed.test.ts", "selectChanged(root)"],
  "npm run lint": [".ci/run", "npm run lint"],
  "npm run test:e2e": [".github/workflows/nightly.yml", "npm run test:e2e"],
  "npm run test:e2e -- smoke": [".ci/run", "npm run test:e2e -- smoke"],
  "npm run test:e2e -- lifecycle rolling": [".github/workflows/nightly.yml", "npm run test:e2e --"],
  "npm run test:e2e -- remote --times 3": ["__tests__/support/run.test.ts", '"--times"'],
  "npm run test:e2e -- --record": ["__tests__/support/stale.test.ts", "recordGreen("],
  "npm run test:e2e -- --stale": ["__tests__/support/run.test.ts", '"--stale"'],
  "npm run test:quarantine": ["package.json", "--quarantine --times 5"],
  "npm run lab -- --prepare": [".ci/run", "npm run lab -- --prepare"],
  "npm run lab:schema": ["__tests__/e2e/docs/docs.test.ts", 'npm("lab:schema")'],
  "npm run lab": ["__tests__/e2e/docs/docs.test.ts", 'npm("lab")'],
  "npm run lab -- --secured": ["__tests__/support/secured.ts", "freshLab(labSecured)"],
  "npm run lab -- --machines 3": [
    "__tests__/e2e/machines-killed/machines-killed.test.ts",
    'npm("lab", ["--machines", "3"])',
  ],
  "npm run lab -- --engine forky": ["__tests__/e2e/engines/engines.test.ts", 'testSmoke("forky")'],
  "npm run swarm": ["__tests__/e2e/machines/machines.test.ts", 'npm("swarm")'],
  "npm run credentials -- <application>": [
    "__tests__/support/authorization-matrix.ts",
    'project.credentials("shop", "properties")',
  ],
  "npm run lab -- --fresh": ["__tests__/e2e/docs/docs.test.ts", 'npm("lab", ["--fresh"])'],
  "npm run up": ["__tests__/e2e/lifecycle/platform.test.ts", 'npm("up")'],
  "npm run up -- --at-once": ["__tests__/e2e/docs/docs.test.ts", 'npm("up", ["--at-once"])'],
  "npm run up -- --exclude-machine c": [
    "__tests__/e2e/machines-loss/machines-loss.test.ts",
    'npm("up", ["--exclude-machine", "c"])',
  ],
  "npm run down": ["__tests__/e2e/lifecycle/platform.test.ts", 'npm("down")'],
  "npm run down -- --volumes": [
    "__tests__/e2e/lifecycle/platform.test.ts",
    'npm("down", ["--volumes"',
  ],
  "npm run preview": ["__tests__/e2e/docs/docs.test.ts", 'npm("preview")'],
  "npm run preview -- --base <tag>": ["__tests__/commands/preview.test.ts", 'run("--base"'],
  "npm run preview -- --base main": ["__tests__/commands/preview.test.ts", 'run("--base"'],
  "npm run plan": ["__tests__/e2e/docs/docs.test.ts", 'npm("plan")'],
  "npm run credentials -- <application> --format ca": [
    "__tests__/support/authorization-matrix.ts",
    'credentials("shop", "ca")',
  ],
  "npm run rotate -- ca": [
    "__tests__/e2e/rotation-ca/rotation-ca.test.ts",
    'command("rotate", "ca")',
  ],
  "npm run rotate -- certificates": [
    "__tests__/e2e/rotation/rotation.test.ts",
    'command("rotate", "certificates")',
  ],
  "npm run rotate -- <application>": [
    "__tests__/e2e/rotation/rotation.test.ts",
    'command("rotate", "shop")',
  ],
  "npm run doctor": ["__tests__/e2e/docs/docs.test.ts", 'npm("doctor")'],
  "npm run migrate-state": ["__tests__/e2e/state/backend.test.ts", 'command("migrate-state")'],
  "npm run diagram": [
    "__tests__/tools/documentation/diagram.test.ts",
    "toMermaid(laptop, picture)",
  ],
  "npm run reference": [
    "__tests__/tools/documentation/reference.test.ts",
    "renderReference(page, types)",
  ],
  "npx cdktf synth": ["__tests__/e2e/docs/docs.test.ts", 'cdktf(["synth"])'],
  "npx cdktf diff": ["__tests__/e2e/lifecycle/platform.test.ts", '"diff", "lab-messaging"'],
  "npx cdktf deploy '*'": ["__tests__/support/lab.ts", 'cdktf(["deploy", "*"'],
  "npx cdktf destroy '*'": ["__tests__/e2e/lifecycle/platform.test.ts", 'cdktf(["destroy", "*"'],
  "npx cdktf deploy": ["__tests__/e2e/lifecycle/platform.test.ts", "deploy()"],
};
