import { describePermissions } from "../../constructs/security/describe-permissions";
import { MONITOR } from "../../constructs/security/principals";
import { type FileChange, together } from "../../constructs/service/file-change";

/**
 * What applications may do in Kafka, from what kafka-init reads: a line for each, its name and `topic:<access>:<pattern>` or
 * `group:<pattern>`. Who measures the platform is no application.
 */
export function describeKafkaRights(before?: string, after?: string): FileChange {
  const [old, now] = [parseKafkaRights(before), parseKafkaRights(after)];
  return together(
    [...new Set([...old.keys(), ...now.keys()])].map((name) =>
      describePermissions(name, "Kafka", old.get(name), now.get(name)),
    ),
  );
}

function parseKafkaRights(text = ""): Map<string, string[]> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith(`${MONITOR} `));
  return new Map(
    lines.map((line) => {
      const [name, ...rights] = line.split(" ");
      return [
        name,
        rights.flatMap((right) => {
          const [, access, topic] = /^topic:(\w+):(.*)$/.exec(right) ?? [];
          return access === undefined
            ? `consumer group ${right.replace("group:", "")}`
            : (access.match(/read|write/g) ?? []).map((action) => `${action} on topic ${topic}`);
        }),
      ];
    }),
  );
}
