import { Option } from "@commander-js/extra-typings";
import { type GuidedCommand, guided } from "../../operations/terminal/command";
import { atOnce, excludeMachine, forceUnlock, names } from "./options";
import { DEPLOY, ENGINE, FIX } from "./variables";

/** Commands that change a running platform. */
export function deployCommands(): GuidedCommand[] {
  return [
    guided(
      "up",
      {
        purpose: "Deploy the platform and check every guarantee",
        examples: {
          "npx groundwork up": "deploy, replacing one node of a cluster at a time",
          "npx groundwork up --exclude-machine c": "deploy while machine c is unavailable",
          "GROUNDWORK_ENV=production npx groundwork up": "deploy another environment",
        },
        exitCodes: {
          0: "deployed, and every guarantee holds",
          1: `refused, failed or interrupted, or a guarantee does not hold: ${FIX}`,
        },
        variables: DEPLOY,
        pages: ["docs/how-to/image.md", "docs/how-to/machines.md"],
      },
      (command) =>
        command
          .addOption(atOnce())
          .option(
            "--allow-data-loss",
            "allow declared changes that delete stored records, such as a shorter retention",
            false,
          )
          .addOption(excludeMachine())
          .addOption(forceUnlock())
          .addOption(new Option("--without <machines>").conflicts("excludeMachine").hideHelp())
          .action(async (options) => (await import("../up")).up(options)),
    ),
    guided(
      "down",
      {
        purpose: "Remove containers and networks, and keep the data volumes",
        examples: {
          "npx groundwork down": "stop the platform and keep its data",
          "npx groundwork down --volumes": "remove the data too, after a confirmation",
          "npx groundwork down --volumes --yes":
            "remove the data without a confirmation, for scripts",
        },
        exitCodes: {
          0: "the platform is down",
          1: `refused, failed or interrupted, or resources remain: ${FIX}`,
        },
        variables: DEPLOY,
        pages: ["README.md"],
      },
      (command) =>
        command
          .option("--volumes", "also remove the data volumes; all data is lost", false)
          .option("--yes", "skip the confirmation", false)
          .addOption(forceUnlock())
          .action(async (options) => (await import("../down")).down(options)),
    ),
    guided(
      "backup",
      {
        purpose: "Take a backup of OpenSearch now, verify it and remove old ones",
        examples: {
          "npx groundwork backup": "take a backup besides those of the schedule",
          "npx groundwork backup --take-over --yes":
            "write to the repository of a cluster that is gone, after a restore",
        },
        exitCodes: {
          0: "the backup has every shard and is verified",
          1: `refused or failed, or a shard is missing: ${FIX}`,
        },
        variables: ENGINE,
        pages: ["docs/how-to/backup.md"],
      },
      (command) =>
        command
          .option(
            "--take-over",
            "write even if the newest backup is of another cluster, after a confirmation",
            false,
          )
          .option("--yes", "skip the confirmation", false)
          .action(async (options) => (await import("../backup")).backup(options)),
    ),
    guided(
      "restore",
      {
        purpose: "List the backups of OpenSearch, or restore indices from one",
        examples: {
          "npx groundwork restore latest": "restore everything from the newest good backup",
          "npx groundwork restore latest --index 'logs-*' --prefix restored-":
            "restore some indices beside the existing ones",
          "npx groundwork restore latest --index orders --overwrite orders --yes":
            "replace an index without a confirmation, for scripts",
        },
        exitCodes: {
          0: "the indices are restored, or the backups are listed",
          1: `refused, not confirmed or failed: ${FIX}`,
        },
        variables: { ...ENGINE, GROUNDWORK_SECRETS: DEPLOY.GROUNDWORK_SECRETS },
        pages: ["docs/how-to/backup.md"],
      },
      (command) =>
        command
          .usage("[backup] [options]")
          .argument("[backup]", 'backup to restore; "latest" is the newest good one')
          .option(
            "--index <names>",
            "indices and data streams to restore, separated by commas; * matches any text (default: all)",
            names,
          )
          .option(
            "--overwrite <names>",
            "existing indices and data streams to replace, each by its name (default: none)",
            names,
          )
          .option("--prefix <prefix>", "prefix of the restored names (default: none)")
          .option("--yes", "skip the confirmation", false)
          .addOption(forceUnlock())
          .action(async (name, options) =>
            (await import("../restore")).restoreBackup(name, options),
          ),
    ),
    guided(
      "finalize",
      {
        purpose: "Finalize the running version of Kafka, which cannot be taken back",
        examples: {
          "npx groundwork finalize": "show what changes, and finalize after a confirmation",
          "npx groundwork finalize --yes": "finalize without a confirmation, for scripts",
        },
        exitCodes: {
          0: "the newest metadata.version that the brokers support is finalized",
          1: `refused, not confirmed or failed: ${FIX}`,
        },
        variables: ENGINE,
        pages: ["docs/how-to/image.md"],
      },
      (command) =>
        command
          .option("--yes", "skip the confirmation", false)
          .addOption(forceUnlock())
          .action(async (options) => (await import("../finalize")).finalizeVersions(options)),
    ),
    guided(
      "adopt",
      {
        purpose: "Deploy, and take over resources that are not in the state",
        examples: {
          "npx groundwork adopt": "deploy after the state was lost, or from a second clone",
          "GROUNDWORK_ENV=production npx groundwork adopt": "deploy another environment",
        },
        exitCodes: {
          0: "every resource is in the state, and every guarantee holds",
          1: `refused, failed or interrupted, or a guarantee does not hold: ${FIX}`,
        },
        variables: DEPLOY,
        pages: ["docs/how-to/adopt.md"],
      },
      (command) =>
        command
          .addOption(forceUnlock())
          .action(async (options) => (await import("../adopt")).adopt(options)),
    ),
    guided(
      "swarm",
      {
        purpose: "Join the machines of an environment into a Docker Swarm",
        examples: {
          "GROUNDWORK_ENV=lab-three npx groundwork swarm":
            "join all machines that are not in the Swarm yet",
          "GROUNDWORK_ENV=lab-three npx groundwork swarm && GROUNDWORK_ENV=lab-three npx groundwork up":
            "join the machines, then deploy",
        },
        exitCodes: {
          0: "every machine is in the Swarm",
          1: `an engine does not answer or is in another Swarm: ${FIX}`,
        },
        variables: ENGINE,
        pages: ["docs/how-to/machines.md"],
      },
      (command) =>
        command
          .addOption(forceUnlock())
          .action(async (options) => (await import("../swarm")).swarm(options)),
    ),
    guided(
      "migrate-state",
      {
        purpose: "Move the local Terraform state to the environment's backend",
        examples: {
          "GROUNDWORK_ENV=production npx groundwork migrate-state":
            "move the state to the backend in environments/production.ts",
          "GROUNDWORK_ENV=production npx groundwork migrate-state && GROUNDWORK_ENV=production npx groundwork plan":
            "move the state, then check that nothing changes",
        },
        exitCodes: {
          0: "the state of every stack is in the backend",
          1: `no backend is configured, or it rejected the state: ${FIX}`,
        },
        variables: DEPLOY,
        pages: ["docs/how-to/backend.md"],
      },
      (command) =>
        command.action(async () => (await import("../migrate-state")).moveStateOfEnvironment()),
    ),
  ];
}
