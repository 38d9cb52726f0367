import { Option } from "@commander-js/extra-typings";
import { type GuidedCommand, guided } from "../../operations/terminal/command";
import { DEPLOY, ENVIRONMENT } from "./variables";

/** What shows and renews credentials. */
export function secretCommands(): GuidedCommand[] {
  return [
    guided(
      "credentials",
      {
        purpose: "Print what an application connects to Kafka and OpenSearch with",
        examples: {
          "npx groundwork credentials orders": "addresses, user and password",
          "npx groundwork credentials orders --format properties >client.properties":
            "a configuration for Kafka's own clients",
          "npx groundwork credentials orders --format env >orders.env":
            "variables for docker run --env-file",
        },
        exitCodes: {
          0: "printed to standard output",
          1: "the application is not declared in catalog/applications.ts",
        },
        variables: { ...ENVIRONMENT, GROUNDWORK_SECRETS: DEPLOY.GROUNDWORK_SECRETS },
        pages: ["docs/how-to/application.md"],
      },
      (command) =>
        command
          .usage("<application> [options]")
          .argument("[application]", "name of an application in catalog/applications.ts")
          .addOption(
            new Option("--format <format>", "how they are written; ca is the CA bundle alone")
              .choices(["text", "properties", "env", "ca"] as const)
              .default("text" as const),
          )
          .action(async (application, { format }) =>
            (await import("../credentials")).printCredentials(application, format),
          ),
    ),
    guided(
      "rotate",
      {
        purpose: "Renew certificates or an application's password, and deploy them",
        examples: {
          "npx groundwork rotate certificates": "a new certificate for every service",
          "npx groundwork rotate ca": "a new CA, in three steps; run it again to go on",
          "npx groundwork rotate orders": "a new password for application orders",
        },
        exitCodes: {
          0: "what was asked for, or the step of it that is told, is deployed",
          1: "refused, failed or interrupted: correct what it says and run it again",
        },
        variables: DEPLOY,
        pages: ["docs/security.md"],
      },
      (command) =>
        command
          .usage("<what>")
          .argument("[what]", "ca, certificates, or the name of an application")
          .action(async (what) => (await import("../rotate")).rotateSecrets(what)),
    ),
  ];
}
