import { type GuidedCommand, guided } from "../../operations/terminal/command";

const PASSED = { 0: "passed", 1: "something failed: its message is above" };
const WRITTEN = { 0: "written", 1: "failed, nothing is written: correct what it says" };

/** What one needs who changes Groundwork itself. */
export function developCommands(): GuidedCommand[] {
  return [
    guided(
      "test",
      {
        purpose: "Run the compiler and the tests that need no Docker",
        examples: {
          "npx groundwork test": "everything",
          "npx groundwork test --changed": "what the uncommitted changes touch",
          "npx groundwork test __tests__/docs/docs.test.ts": "the compiler and one file of tests",
        },
        exitCodes: PASSED,
        pages: ["docs/architecture.md"],
      },
      (command) =>
        command
          .argument("[arguments...]", "arguments of jest")
          .option("--changed", "only the tests that the uncommitted changes touch", false)
          .allowUnknownOption()
          .action((args, { changed }) =>
            runScript(["node", "tools/test.mjs", ...(changed ? ["--changed"] : []), ...args]),
          ),
    ),
    guided(
      "test:e2e",
      {
        purpose: "Run suites of tests with real servers in the lab",
        examples: {
          "npx groundwork test:e2e smoke": "one suite",
          "npx groundwork test:e2e remote --times 3": "one again and again",
          "npx groundwork test:e2e --stale": "which suites have to run again",
        },
        exitCodes: {
          0: "every suite passed, or none is stale",
          1: "a suite failed or is stale: the table names it",
          130: "interrupted",
        },
        pages: ["lab/README.md"],
      },
      (command) =>
        command
          .argument("[suites...]", "folders in __tests__/e2e (default: all of them)")
          .option("--times <count>", "how often each suite runs", "1")
          .option("--record", "record the commit of each suite that passes", false)
          .option("--stale", "run none, name those whose code changed since they passed", false)
          .option("--quarantine", "run what fails now and then instead", false)
          .action((suites, { times, ...switches }) =>
            runScript([
              "node",
              ...["-r", "./tools/register.js", "__tests__/e2e/run.ts", ...suites, "--times", times],
              ...Object.entries(switches).flatMap(([name, on]) => (on ? [`--${name}`] : [])),
            ]),
          ),
    ),
    guided(
      "lint",
      {
        purpose: "Check format and style of every file",
        examples: {
          "npx groundwork lint": "check all of them",
          "npx groundwork lint && npx groundwork test": "check them, then test",
        },
        exitCodes: PASSED,
        pages: ["docs/architecture.md"],
      },
      (command) =>
        command.action(() => runScript(["biome", "ci", "."], ["node", "tools/lint-scripts.mjs"])),
    ),
    guided(
      "reference",
      {
        purpose: "Write docs/reference/ from the types, the stacks and the help",
        examples: {
          "npx groundwork reference": "after a change of any of them",
          "npx groundwork reference && git diff docs/reference":
            "write it and look at what changed",
        },
        exitCodes: WRITTEN,
        pages: ["docs/architecture.md"],
      },
      (command) =>
        command.action(async () =>
          (await import("../reference")).writeReference(command.parent as GuidedCommand),
        ),
    ),
    guided(
      "diagram",
      {
        purpose: "Draw the stacks of an environment into README.md",
        examples: {
          "npx groundwork diagram": "after a change of the stacks",
          "npx groundwork diagram && git diff README.md": "draw it and look at what changed",
        },
        exitCodes: WRITTEN,
        pages: ["docs/architecture.md"],
      },
      (command) => command.action(async () => (await import("../diagram")).writeDiagram()),
    ),
    guided(
      "jar",
      {
        purpose: "Build the jar of kafka-init, with a JDK from 17 on and Maven",
        examples: {
          "npx groundwork jar": "after a change in constructs/kafka/kafka-init/",
          "npx groundwork jar --jar /tmp/kafka-init.jar": "into another file",
        },
        exitCodes: WRITTEN,
        pages: ["docs/how-to/image.md"],
      },
      (command) =>
        command
          .option("--jar <file>", "where to", "constructs/kafka/kafka-init.jar")
          .action(({ jar }) =>
            runScript(["node", "constructs/kafka/kafka-init/build.mjs", "--jar", jar]),
          ),
    ),
    guided(
      "topic-configs",
      {
        purpose: "Ask Kafka's own libraries which configs a topic has",
        examples: {
          "npx groundwork topic-configs": "after a change of Kafka's version",
          "npx groundwork topic-configs /tmp/topic-configs.json": "into another file",
        },
        exitCodes: WRITTEN,
        pages: ["docs/how-to/image.md"],
      },
      (command) =>
        command
          .argument("[file]", "where to", "constructs/kafka/topic-configs.json")
          .action((file) => runScript(["node", "constructs/kafka/topic-configs/make.mjs", file])),
    ),
    guided(
      "bindings",
      {
        purpose: "Regenerate the bindings of the Grafana provider from the Terraform registry",
        examples: {
          "npx groundwork bindings": "after a change of the provider's version",
          "npx groundwork bindings && git diff packages": "and look at what changed",
        },
        exitCodes: WRITTEN,
        pages: ["docs/architecture.md"],
      },
      (command) =>
        command.action(() => runScript(["node", "packages/provider-grafana/refresh.mjs"])),
    ),
  ];
}

async function runScript(...commands: (readonly [string, ...string[]])[]): Promise<void> {
  const { runOnTerminal } = await import("../run-on-terminal");
  await runOnTerminal(...commands);
}
