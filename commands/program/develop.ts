import { type GuidedCommand, guided } from "../../operations/terminal/command";

const PASSED = { 0: "passed", 1: "failed: see the messages above" };
const WRITTEN = { 0: "written", 1: "failed, nothing written: the message says what to fix" };

/** Commands for the development of Groundwork itself. */
export function developCommands(): GuidedCommand[] {
  return [
    guided(
      "test",
      {
        purpose: "Run the compiler and the tests that need no Docker",
        examples: {
          "npx groundwork test": "run the compiler and all tests",
          "npx groundwork test --changed": "run only the tests that the uncommitted changes affect",
          "npx groundwork test __tests__/docs/docs.test.ts": "run the compiler and one test file",
        },
        exitCodes: PASSED,
        pages: ["docs/architecture.md"],
      },
      (command) =>
        command
          .usage("[arguments...] [options]")
          .argument(
            "[arguments...]",
            "arguments for jest, such as files of tests (default: all tests)",
          )
          .option("--changed", "run only the tests that the uncommitted changes affect", false)
          .allowUnknownOption()
          .action((args, { changed }) =>
            runScript(["node", "tools/test.mjs", ...(changed ? ["--changed"] : []), ...args]),
          ),
    ),
    guided(
      "test:e2e",
      {
        purpose: "Run end-to-end test suites with real servers in the lab",
        examples: {
          "npx groundwork test:e2e smoke": "run one suite",
          "npx groundwork test:e2e remote --times 3": "run a suite three times",
          "npx groundwork test:e2e --stale": "list the suites that have to run again",
        },
        exitCodes: {
          0: "every suite passed; with --stale, none is stale",
          1: "a suite failed, or is stale: the output names it",
          130: "interrupted",
        },
        pages: ["lab/README.md"],
      },
      (command) =>
        command
          .usage("[suites...] [options]")
          .argument("[suites...]", "folders in __tests__/e2e (default: all)")
          .option("--times <count>", "number of runs of each suite", "1")
          .option("--record", "record the commit of each suite that passes", false)
          .option(
            "--stale",
            "run nothing; list the suites whose code changed since they passed",
            false,
          )
          .option("--quarantine", "run the quarantined (flaky) tests instead", false)
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
        purpose: "Check format, style and wording of every file",
        examples: {
          "npx groundwork lint": "check every file",
          "npx groundwork lint && npx groundwork test": "check every file, then run the tests",
        },
        exitCodes: PASSED,
        pages: ["docs/architecture.md"],
      },
      (command) =>
        command.action(() =>
          runScript(
            ["biome", "ci", "."],
            ["node", "tools/lint-scripts.mjs"],
            ["node", "tools/lint-prose.mjs"],
          ),
        ),
    ),
    guided(
      "reference",
      {
        purpose: "Generate docs/reference/ from types, stacks and help",
        examples: {
          "npx groundwork reference": "generate the pages after a change",
          "npx groundwork reference && git diff docs/reference":
            "generate the pages and review the changes",
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
        purpose: "Update the diagram of the stacks in README.md",
        examples: {
          "npx groundwork diagram": "update the diagram after a change of the stacks",
          "npx groundwork diagram && git diff README.md":
            "update the diagram and review the changes",
        },
        exitCodes: WRITTEN,
        pages: ["docs/architecture.md"],
      },
      (command) => command.action(async () => (await import("../diagram")).writeDiagram()),
    ),
    guided(
      "jar",
      {
        purpose: "Build the programs for Kafka; requires JDK 17 or newer and Maven",
        examples: {
          "npx groundwork jar":
            "build the three jars of constructs/kafka/ after a change of their sources",
          "npx groundwork jar && npx groundwork test:e2e smoke":
            "build them, and deploy them in a lab",
        },
        exitCodes: WRITTEN,
        pages: ["docs/how-to/image.md"],
      },
      (command) =>
        command.action(() =>
          runScript(
            ...["kafka-init", "certificate-reload", "request-latency"].map(
              (program): [string, ...string[]] => {
                const sources = `constructs/kafka/${program}`;
                const options = ["--sources", sources, "--jar", `${sources}.jar`];
                return ["node", "constructs/kafka/kafka-init/build.mjs", ...options];
              },
            ),
          ),
        ),
    ),
    guided(
      "topic-configs",
      {
        purpose: "Update the list of topic configs from Kafka's own libraries",
        examples: {
          "npx groundwork topic-configs": "update the list after an upgrade of Kafka",
          "npx groundwork topic-configs /tmp/topic-configs.json": "write to another file",
        },
        exitCodes: WRITTEN,
        pages: ["docs/how-to/image.md"],
      },
      (command) =>
        command
          .usage("[file] [options]")
          .argument("[file]", "output file", "constructs/kafka/topic-configs.json")
          .action((file) => runScript(["node", "constructs/kafka/topic-configs/make.mjs", file])),
    ),
    guided(
      "bindings",
      {
        purpose: "Regenerate the bindings of the Grafana Terraform provider",
        examples: {
          "npx groundwork bindings": "regenerate the bindings after an upgrade of the provider",
          "npx groundwork bindings && git diff packages":
            "regenerate the bindings and review the changes",
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
