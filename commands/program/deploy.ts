import { Option } from "@commander-js/extra-typings";
import { type GuidedCommand, guided } from "../../operations/terminal/command";
import { DEPLOY, ENGINE } from "./variables";

/** What changes a running platform. */
export function deployCommands(): GuidedCommand[] {
  return [
    guided(
      "up",
      {
        purpose: "Deploy the platform, then check every guarantee in it",
        examples: {
          "npx groundwork up": "deploy, one node of a cluster at a time",
          "npx groundwork up --exclude-machine c":
            "deploy to the other machines while machine c is gone",
          "GROUNDWORK_ENV=production npx groundwork up": "deploy another environment",
        },
        exitCodes: {
          0: "deployed, and every guarantee holds",
          1: "refused, failed or interrupted, or a guarantee does not hold: correct what it says and run it again",
        },
        variables: DEPLOY,
        pages: ["docs/how-to/image.md", "docs/how-to/machines.md"],
      },
      (command) =>
        command
          .option(
            "--at-once",
            "replace all nodes of a cluster together, without serving meanwhile",
            false,
          )
          .option(
            "--exclude-machine <machines>",
            "machines that are gone, separated by commas (default: none)",
          )
          .addOption(new Option("--without <machines>").conflicts("excludeMachine").hideHelp())
          .action(async (options) => (await import("../up")).up(options)),
    ),
    guided(
      "down",
      {
        purpose: "Stop the platform and keep its data volumes",
        examples: {
          "npx groundwork down": "remove containers and networks, keep the data",
          "npx groundwork down --volumes": "remove the data too, after a typed confirmation",
          "npx groundwork down --volumes --yes": "the same in a script",
        },
        exitCodes: {
          0: "the platform is down",
          1: "refused, failed or interrupted, or something remains: correct what it says and run it again",
        },
        variables: DEPLOY,
        pages: ["README.md"],
      },
      (command) =>
        command
          .option("--volumes", "remove the data volumes too: all data is lost", false)
          .option("--yes", "do not ask for the confirmation", false)
          .action(async (options) => (await import("../down")).down(options)),
    ),
    guided(
      "adopt",
      {
        purpose: "Deploy as up does, and take over what runs and the state does not know",
        examples: {
          "npx groundwork adopt": "after the state was lost, or from a second clone",
          "GROUNDWORK_ENV=production npx groundwork adopt": "the same for another environment",
        },
        exitCodes: {
          0: "everything is in the state, and every guarantee holds",
          1: "refused, failed or interrupted, or a guarantee does not hold: correct what it says and run it again",
        },
        variables: DEPLOY,
        pages: ["docs/how-to/adopt.md"],
      },
      (command) => command.action(async () => (await import("../adopt")).adopt()),
    ),
    guided(
      "swarm",
      {
        purpose: "Make the machines of an environment one Docker Swarm",
        examples: {
          "GROUNDWORK_ENV=lab-three npx groundwork swarm":
            "join the machines; run again, it takes in those that are missing",
          "GROUNDWORK_ENV=lab-three npx groundwork swarm && GROUNDWORK_ENV=lab-three npx groundwork up":
            "join them and deploy",
        },
        exitCodes: {
          0: "every machine is in the Swarm",
          1: "an engine does not answer or is in another Swarm: correct what it says and run it again",
        },
        variables: ENGINE,
        pages: ["docs/how-to/machines.md"],
      },
      (command) => command.action(async () => (await import("../swarm")).swarm()),
    ),
    guided(
      "migrate-state",
      {
        purpose: "Move the local state of every stack to the backend that the environment names",
        examples: {
          "GROUNDWORK_ENV=production npx groundwork migrate-state":
            "after state was set in environments/production.ts",
          "GROUNDWORK_ENV=production npx groundwork migrate-state && GROUNDWORK_ENV=production npx groundwork plan":
            "move it, then see that nothing changes",
        },
        exitCodes: {
          0: "the state of every stack is there",
          1: "no backend is named, or it refused: correct what it says and run it again",
        },
        variables: DEPLOY,
        pages: ["docs/how-to/backend.md"],
      },
      (command) =>
        command.action(async () => (await import("../migrate-state")).moveStateOfEnvironment()),
    ),
  ];
}
