import { type GuidedCommand, guided } from "../../operations/terminal/command";
import { FIX } from "./variables";

/** Commands that write declarations. */
export function declareCommands(): GuidedCommand[] {
  return [
    guided(
      "import",
      {
        purpose: "Import a Grafana dashboard, a Prometheus rule file or an index template",
        examples: {
          "npx groundwork import dashboard.json": "write dashboards/Imported/dashboard.json",
          "npx groundwork import rules.yml --folder team": "write alerts/team/rules.yml",
          "npx groundwork import - --name logstash --replace":
            "replace catalog/index-templates/logstash.json, from standard input",
        },
        exitCodes: {
          0: "imported; the output names what could not be",
          1: `refused or failed, and nothing is written: ${FIX}`,
        },
        pages: ["docs/how-to/import.md"],
      },
      (command) =>
        command
          .usage("[file] [options]")
          .argument("[file]", 'file to import; "-" or none is standard input')
          .option(
            "--folder <folder>",
            "folder for the file (default: Imported for dashboards, or where the file is already)",
          )
          .option("--name <name>", "name of the file without extension (default: that of the file)")
          .option("--replace", "replace an existing file", false)
          .action(async (file, options) => (await import("../import")).importFile(file, options)),
    ),
  ];
}
