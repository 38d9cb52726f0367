import { Option } from "@commander-js/extra-typings";
import { type GuidedCommand, guided } from "../../operations/terminal/command";
import { DEPLOY, ENVIRONMENT } from "./variables";

const format = () =>
  new Option("--format <format>", "how the changes are shown")
    .choices(["terminal", "markdown", "json"] as const)
    .default("terminal" as const);

const EXIT_CODES = {
  0: "nothing changes",
  1: "failed; the message says what to do",
  2: "there are changes",
  3: "there are changes that destroy something",
};

/** What looks, and changes nothing. */
export function inspectCommands(): GuidedCommand[] {
  return [
    guided(
      "preview",
      {
        purpose: "Show what the working tree changes, without engine, network or credentials",
        examples: {
          "npx groundwork preview": "what is not committed yet changes",
          "npx groundwork preview --base main --all":
            "what this branch changes in every environment",
          "npx groundwork preview --format markdown >preview.md": "the same for a pull request",
        },
        exitCodes: EXIT_CODES,
        variables: ENVIRONMENT,
        pages: ["docs/how-to/pull-requests.md"],
      },
      (command) =>
        command
          .option("--base <revision>", "commit, branch or tag to compare with", "HEAD")
          .option("--env <environment>", "the environment (default: GROUNDWORK_ENV, or laptop)")
          .option("--all", "every environment", false)
          .addOption(format())
          .action(async (options) => (await import("../preview")).showPreview(options)),
    ),
    guided(
      "plan",
      {
        purpose: "Show what Terraform would change in what is deployed",
        examples: {
          "npx groundwork plan": 'plan every stack of environment "laptop"',
          "GROUNDWORK_ENV=production npx groundwork plan --format json >plan.json":
            "plan another environment, for a script",
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
      "doctor",
      {
        purpose: "Check every prerequisite of a deploy",
        examples: {
          "npx groundwork doctor": "check this machine, its engine and Terraform",
          "GROUNDWORK_ENV=lab-three npx groundwork doctor":
            "check every machine of an environment of several",
        },
        exitCodes: {
          0: "every prerequisite holds; there may be warnings",
          1: "a prerequisite does not hold: the last lines say what to do about each",
        },
        variables: DEPLOY,
        pages: ["README.md"],
      },
      (command) => command.action(async () => (await import("../doctor")).doctor()),
    ),
  ];
}
