import { Option } from "@commander-js/extra-typings";
import { type GuidedCommand, guided } from "../../operations/terminal/command";

const VARIABLES = {
  GROUNDWORK_LAB_CACHE: "folder of what the lab builds (default: ~/.cache/groundwork-lab)",
};

/** What builds the lab and works in it. */
export function labCommands(): GuidedCommand[] {
  return [
    guided(
      "lab",
      {
        purpose: "Build a lab from package registries, as root on Debian, and deploy there",
        examples: {
          "npx groundwork lab": 'build what is missing and deploy environment "lab"',
          "npx groundwork lab --secured --fresh":
            "with TLS, without data and secrets of earlier labs",
          "npx groundwork lab --prepare": "build what is missing and deploy nothing",
        },
        exitCodes: {
          0: "the lab is there; the last lines say how to use cdktf in it",
          1: "refused or failed: correct what it says and run it again",
        },
        variables: VARIABLES,
        pages: ["lab/README.md"],
      },
      (command) =>
        command
          .option("--fresh", "remove data, state and secrets of earlier labs", false)
          .option("--yes", "go on although the engine serves other containers", false)
          .option("--secured", "with TLS: environment lab-secured, or lab-three-secured", false)
          .option("--prepare", "deploy nothing", false)
          .option(
            "--machines <count>",
            "3: environment lab-three, an engine for each machine (default: one machine)",
          )
          .addOption(
            new Option(
              "--engine <name>",
              "Debian release whose Docker engine answers (default: bookworm)",
            ).choices(["bookworm", "trixie", "forky"] as const),
          )
          .action(async (options) => (await import("../lab")).runLab(options)),
    ),
    guided(
      "lab:schema",
      {
        purpose: "Print the schema of the lab's Terraform provider as JSON",
        examples: {
          "npx groundwork lab:schema": "what terraform providers schema -json says",
          "npx groundwork lab:schema >schema.json": "the same into a file",
        },
        exitCodes: { 0: "printed to standard output", 1: "the provider could not be built" },
        variables: VARIABLES,
        pages: ["lab/README.md"],
      },
      (command) => command.action(async () => (await import("../lab-schema")).printLabSchema()),
    ),
    guided(
      "bench",
      {
        purpose: "Measure in the lab what the project promises about speed",
        examples: {
          "npx groundwork bench": "every part",
          "npx groundwork bench tests platform": "two of them",
        },
        exitCodes: { 0: "every target is met", 1: "a target is not met, or a part failed" },
        variables: VARIABLES,
        pages: ["lab/README.md"],
      },
      (command) =>
        command
          .argument(
            "[parts...]",
            "tests, platform, secured, machines (default: all of them, in that order)",
          )
          .option("--yes", "go on although the engine serves other containers", false)
          .action(async (parts, options) => (await import("../bench")).bench(parts, options)),
    ),
  ];
}
