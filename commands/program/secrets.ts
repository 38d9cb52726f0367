import { Option } from "@commander-js/extra-typings";
import { type GuidedCommand, guided } from "../../operations/terminal/command";
import { atOnce, excludeMachine, forceUnlock } from "./options";
import { DEPLOY, ENVIRONMENT, FIX } from "./variables";

/** Commands for credentials and certificates. */
export function secretCommands(): GuidedCommand[] {
  return [
    guided(
      "credentials",
      {
        purpose: "Print an application's credentials for Kafka and OpenSearch",
        examples: {
          "npx groundwork credentials orders": "show addresses, user and password or certificate",
          "npx groundwork credentials orders --format properties >client.properties":
            "write a configuration for Kafka clients",
          "npx groundwork credentials orders --format env >orders.env":
            "write variables for docker run --env-file",
        },
        exitCodes: {
          0: "credentials printed to standard output",
          1: `failed, such as for an application that is not in catalog/applications.ts: ${FIX}`,
        },
        variables: { ...ENVIRONMENT, GROUNDWORK_SECRETS: DEPLOY.GROUNDWORK_SECRETS },
        pages: ["docs/how-to/application.md"],
      },
      (command) =>
        command
          .usage("<application> [options]")
          .argument("[application]", "name of an application in catalog/applications.ts")
          .addOption(
            new Option(
              "--format <format>",
              "output format; shell is for . ./<file>, ca prints only the CA bundle, and key-pair only an application's key and certificate",
            )
              .choices(["text", "properties", "env", "shell", "ca", "key-pair"] as const)
              .default("text" as const),
          )
          .action(async (application, { format }) =>
            (await import("../credentials")).printCredentials(application, format),
          ),
    ),
    guided(
      "rotate",
      {
        purpose: "Replace certificates, the CA or an application's credentials, and deploy",
        examples: {
          "npx groundwork rotate certificates": "replace the certificate of every service",
          "npx groundwork rotate certificates --revoke":
            "replace the CA too, in three steps; run again to continue",
          "npx groundwork rotate orders --exclude-machine c":
            "replace the password or certificate of application orders while machine c is unavailable",
        },
        exitCodes: {
          0: "the new secrets, or the step that the output names, are deployed",
          1: `refused, failed or interrupted: ${FIX}`,
        },
        variables: DEPLOY,
        pages: ["docs/how-to/rotate.md"],
      },
      (command) =>
        command
          .usage("<target> [options]")
          .argument("[target]", "ca, certificates, or the name of an application")
          .addOption(
            new Option(
              "--revoke",
              "with certificates: replace the CA too, so that all earlier certificates are refused",
            )
              .default(false)
              .conflicts(["due", "onlyIfDue"]),
          )
          .option(
            "--due",
            "with certificates: replace only those past two thirds of their life",
            false,
          )
          .option(
            "--only-if-due",
            "with certificates: as --due, and deploy nothing if none was replaced",
            false,
          )
          .addOption(atOnce())
          .addOption(excludeMachine())
          .addOption(forceUnlock())
          .action(async (target, options) =>
            (await import("../rotate")).rotateSecrets(target, options),
          ),
    ),
  ];
}
