import { Option } from "@commander-js/extra-typings";
import { type GuidedCommand, guided } from "../../operations/terminal/command";
import { FIX } from "./variables";

const VARIABLES = {
  GROUNDWORK_LAB_CACHE:
    "folder for everything that the lab builds (default: ~/.cache/groundwork-lab)",
};

/** Commands that build the lab and use it. */
export function labCommands(): GuidedCommand[] {
  return [
    guided(
      "lab",
      {
        purpose: "Build a lab and deploy to it, without an image registry, as root on Debian",
        examples: {
          "npx groundwork lab": 'build the lab and deploy environment "lab"',
          "npx groundwork lab --secured --fresh":
            "start over with TLS, without data, state and secrets of earlier labs",
          "npx groundwork lab --prepare": "build the lab without a deploy",
        },
        exitCodes: {
          0: "the lab is ready; the last lines say how to use cdktf in it",
          1: `refused or failed: ${FIX}`,
        },
        variables: VARIABLES,
        pages: ["lab/README.md"],
      },
      (command) =>
        command
          .option("--fresh", "remove data, state and secrets of earlier labs first", false)
          .option("--yes", "continue even if the engine runs other containers", false)
          .option("--secured", "enable TLS: environment lab-secured, or lab-three-secured", false)
          .option("--prepare", "build the lab without a deploy", false)
          .option(
            "--machines <count>",
            "number of machines, each with its own engine; only 3 is allowed (default: one machine)",
          )
          .addOption(
            new Option(
              "--engine <name>",
              "Debian release that provides the Docker engine (default: bookworm)",
            ).choices(["bookworm", "trixie", "forky"] as const),
          )
          .action(async (options) => (await import("../lab")).runLab(options)),
    ),
    guided(
      "lab:schema",
      {
        purpose: "Print the schema of the lab's Terraform provider as JSON",
        examples: {
          "npx groundwork lab:schema": "print the output of terraform providers schema -json",
          "npx groundwork lab:schema >schema.json": "write the schema to a file",
        },
        exitCodes: { 0: "schema printed to standard output", 1: "the provider could not be built" },
        variables: VARIABLES,
        pages: ["lab/README.md"],
      },
      (command) => command.action(async () => (await import("../lab-schema")).printLabSchema()),
    ),
    guided(
      "bench",
      {
        purpose: "Run the benchmark in the lab and compare with the targets",
        examples: {
          "npx groundwork bench": "run all parts",
          "npx groundwork bench tests platform": "run two parts",
        },
        exitCodes: { 0: "every target is met", 1: "a target is missed, or a part failed" },
        variables: VARIABLES,
        pages: ["lab/README.md"],
      },
      (command) =>
        command
          .usage("[parts...] [options]")
          .argument(
            "[parts...]",
            "parts to run: tests, compose, platform, secured, machines (default: all)",
          )
          .option("--yes", "continue even if the engine runs other containers", false)
          .action(async (parts, options) => (await import("../bench")).bench(parts, options)),
    ),
  ];
}
