import { Option } from "@commander-js/extra-typings";
import { type GuidedCommand, guided } from "../../operations/terminal/command";
import { forceUnlock } from "./options";
import { DEPLOY, ENGINE, ENVIRONMENT, FIX } from "./variables";

const format = () =>
  new Option("--format <format>", "output format")
    .choices(["terminal", "markdown", "json"] as const)
    .default("terminal" as const);

const terminalOrJson = () =>
  new Option("--format <format>", "output format")
    .choices(["terminal", "json"] as const)
    .default("terminal" as const);

const EXIT_CODES = {
  0: "no changes",
  1: "failed: the message says what to do",
  2: "there are changes",
  3: "there are destructive changes",
};

/** Commands that show something. Only `volumes --remove-orphans` and `inventory --remove` change anything. */
export function inspectCommands(): GuidedCommand[] {
  return [
    guided(
      "preview",
      {
        purpose: "Show what the working tree would change, without engine, network or credentials",
        examples: {
          "npx groundwork preview": "show what the uncommitted changes do",
          "npx groundwork preview --base main --all":
            "compare this branch with main, for every environment",
          "npx groundwork preview --format markdown >preview.md":
            "write Markdown for a pull request",
        },
        exitCodes: EXIT_CODES,
        variables: ENVIRONMENT,
        pages: ["docs/how-to/pull-requests.md"],
      },
      (command) =>
        command
          .option("--base <revision>", "commit, branch or tag to compare with", "HEAD")
          .option("--env <environment>", "environment (default: GROUNDWORK_ENV, or laptop)")
          .option("--all", "show every environment", false)
          .addOption(format())
          .action(async (options) => (await import("../preview")).showPreview(options)),
    ),
    guided(
      "plan",
      {
        purpose: "Show what a deploy would change, as Terraform plans it",
        examples: {
          "npx groundwork plan": 'plan every stack of environment "laptop"',
          "GROUNDWORK_ENV=production npx groundwork plan --format json >plan.json":
            "write JSON for a script, for another environment",
        },
        exitCodes: EXIT_CODES,
        variables: DEPLOY,
        pages: ["docs/how-to/pull-requests.md"],
      },
      (command) =>
        command
          .addOption(format())
          .action(async (options) => (await import("../plan")).showPlan(options)),
    ),
    guided(
      "drift",
      {
        purpose: "Show how the running platform differs from its declaration, and change nothing",
        examples: {
          "npx groundwork drift": 'compare environment "laptop" with its declaration',
          "GROUNDWORK_ENV=production npx groundwork drift --format markdown >drift.md":
            "write Markdown for an issue, for another environment",
        },
        exitCodes: {
          0: "no drift",
          1: "failed, or a service does not answer: the message says what to do",
          2: "there is drift",
          3: "not compared, since another command changes the platform",
        },
        variables: DEPLOY,
        pages: ["docs/how-to/drift.md"],
      },
      (command) =>
        command
          .addOption(format())
          .action(async (options) => (await import("../drift")).showDrift(options)),
    ),
    guided(
      "inventory",
      {
        purpose: "Show what both clusters have, and remove what is no longer declared",
        examples: {
          "npx groundwork inventory":
            "show what is declared, what is left over, and what is somebody else's",
          "npx groundwork inventory --remove topic/orders":
            "remove a topic that is left over, with its records, after a confirmation",
          "npx groundwork inventory --format json >inventory.json": "write JSON for a script",
        },
        exitCodes: {
          0: "shown, or removed",
          1: `refused, not confirmed, or a service does not answer: ${FIX}`,
        },
        variables: { ...ENGINE, GROUNDWORK_SECRETS: DEPLOY.GROUNDWORK_SECRETS },
        pages: ["docs/how-to/inventory.md"],
      },
      (command) =>
        command
          .addOption(terminalOrJson())
          .addOption(
            new Option(
              "--remove <resources...>",
              "remove these, which have to be left over, such as topic/orders; asks on a terminal (default: none)",
            ).conflicts("format"),
          )
          .option("--yes", "skip the confirmation", false)
          .addOption(forceUnlock())
          .action(async (options) => (await import("../inventory")).inventory(options)),
    ),
    guided(
      "doctor",
      {
        purpose: "Check every prerequisite of a deploy",
        examples: {
          "npx groundwork doctor": "check this machine, its Docker engine and Terraform",
          "GROUNDWORK_ENV=lab-three npx groundwork doctor":
            "check every machine of another environment",
        },
        exitCodes: {
          0: "every prerequisite is met; there may be warnings",
          1: "a prerequisite is not met: the last lines say how to fix each",
        },
        variables: DEPLOY,
        pages: ["README.md"],
      },
      (command) => command.action(async () => (await import("../doctor")).doctor()),
    ),
    guided(
      "hello",
      {
        purpose: "Write and read a record, a document and a log line as an application does",
        examples: {
          "npx groundwork hello": "try the deployed platform, and print the commands to copy",
          "npx groundwork hello orders": "write with the permissions of application orders",
        },
        exitCodes: {
          0: "every step that is possible worked; the output says why others are skipped",
          1: `a step failed: ${FIX}`,
        },
        variables: { ...ENGINE, GROUNDWORK_SECRETS: DEPLOY.GROUNDWORK_SECRETS },
        pages: ["README.md", "docs/how-to/application.md"],
      },
      (command) =>
        command
          .usage("[application] [options]")
          .argument(
            "[application]",
            "application in catalog/applications.ts that writes (default: none if plaintext, otherwise the first that may)",
          )
          .action(async (application) => (await import("../hello")).hello(application)),
    ),
    guided(
      "versions",
      {
        purpose: "Show the declared, running and finalized versions of the services",
        examples: {
          "npx groundwork versions": "show the versions, and what to do if they differ",
          "GROUNDWORK_ENV=production npx groundwork versions":
            "show the versions of another environment",
        },
        exitCodes: {
          0: "shown; services that do not answer have no running version",
          1: `a service answers with an error: ${FIX}`,
        },
        variables: ENGINE,
        pages: ["docs/how-to/image.md"],
      },
      (command) => command.action(async () => (await import("../versions")).showVersions()),
    ),
    guided(
      "volumes",
      {
        purpose: "Show the data volumes, and remove those that nothing needs",
        examples: {
          "npx groundwork volumes": "show what each volume belongs to, its size and its state",
          "npx groundwork volumes --remove-orphans":
            "remove the volumes of removed nodes, after a confirmation",
          "npx groundwork volumes --format json >volumes.json": "write JSON for a script",
        },
        exitCodes: {
          0: "shown, or the orphans are removed",
          1: `not confirmed, or an engine does not answer, or a volume remains: ${FIX}`,
        },
        variables: ENGINE,
        pages: ["docs/how-to/node.md"],
      },
      (command) =>
        command
          .addOption(terminalOrJson())
          .addOption(
            new Option(
              "--remove-orphans",
              "remove the volumes that are not declared and that no container mounts; asks on a terminal",
            )
              .default(false)
              .conflicts("format"),
          )
          .addOption(forceUnlock())
          .action(async (options) => (await import("../volumes")).volumes(options)),
    ),
  ];
}
