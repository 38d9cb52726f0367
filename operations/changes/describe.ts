import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import lt from "semver/functions/lt";
import { unescapeTemplate } from "../../constructs/container/file";
import { type FileChange, facts, together } from "../../constructs/container/file-change";
import { imageReference, imageVersion } from "../../constructs/container/image-reference";
import {
  APPLICATIONS_FILE,
  FORMER_APPLICATIONS_FILE,
} from "../../constructs/kafka/declared-applications";
import { FORMER_TOPICS_FILE, TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { nodeOfCertificates } from "../../constructs/security/node-certificates";
import {
  clusterOf,
  type Label,
  labelOf,
  type PublishedPort,
  type SynthesizedContainer,
  type Upload,
} from "../synthesis/container";
import type { Json } from "../synthesis/tree";
import type { Action, Change, ClusterNode } from "./change";
import type { Difference } from "./diff";
import { describeFile } from "./files";
import { deletedData } from "./kept-data";

/** Describes the differences for the user. */
export function describeDifferences(found: readonly Difference[]): Change[] {
  const renames = findRenames(found);
  return found.flatMap((difference) => {
    const rename = renames.get(difference);
    return rename === "source" ? [] : [describeDifference(difference, rename)];
  });
}

function describeDifference(difference: Difference, renamedFrom?: Difference): Change {
  const { stack, type, id, after, movedFrom } = difference;
  const before = difference.before ?? renamedFrom?.before;
  const words = WORDS[type] ?? defaultWords(type);
  const body = after ?? before;
  const compared = words.compare(before, after);
  const {
    details,
    destructive,
    warnings,
    dataLoss = [],
    refusals = [],
    newlyDeclared = [],
  } = compared;
  const action = renamedFrom ? "replace" : actionOf(difference, words);
  return {
    stack,
    address: `${type}.${id}`,
    subject: words.subject(body, id),
    action,
    details: movedFrom ? [`moved from ${movedFrom}`, ...details] : details,
    destructive: [
      ...destructive,
      ...(renamedFrom ? [renameLoss(difference, renamedFrom)] : []),
      ...(words.destroys?.(action, before, after) ?? []),
      ...dataLoss,
    ],
    ...(dataLoss.length > 0 && { dataLoss }),
    ...(refusals.length > 0 && { refusals }),
    ...(newlyDeclared.length > 0 && { newlyDeclared }),
    warnings,
    node: type === "docker_container" ? nodeOf(before, after) : undefined,
  };
}

/** One side of a difference: undefined if the container is not declared there. */
type Container = SynthesizedContainer | undefined;

function nodeOf(before: Container, after: Container): ClusterNode | undefined {
  const body = after ?? before;
  const cluster = body && clusterOf(body);
  if (body === undefined || cluster === undefined) {
    return undefined;
  }
  const changes = (
    differ: (before: SynthesizedContainer, after: SynthesizedContainer) => boolean,
  ) => before !== undefined && after !== undefined && differ(before, after);
  return {
    cluster,
    name: body.name,
    leavesNetwork: changes((was, is) =>
      networksOf(was).some((network) => !networksOf(is).includes(network)),
    ),
    changesSecurity: changes((was, is) => labelOf(was, "security") !== labelOf(is, "security")),
    ...(changes((was, is) => votersOf(was)?.join() !== votersOf(is)?.join()) && {
      formerControllers: before && votersOf(before)?.length,
    }),
  };
}

const networksOf = ({ networks_advanced }: SynthesizedContainer) =>
  networks_advanced.map(({ name }) => name);

/** Returns the ids of Kafka's controllers, without their addresses: those change with the security. */
const votersOf = ({ env = [] }: SynthesizedContainer) =>
  env.find((entry) => entry.startsWith("KAFKA_CONTROLLER_QUORUM_VOTERS="))?.match(/\d+(?=@)/g);

function actionOf({ before, after, movedFrom }: Difference, words: Words): Action {
  if (before === undefined) {
    return "create";
  }
  if (after === undefined) {
    return "destroy";
  }
  const changed = changedKeys(before, after).filter((key) => !TERRAFORM_ONLY.includes(key));
  if (changed.length === 0) {
    return movedFrom ? "move" : "none";
  }
  return changed.every((key) => words.inPlace(key)) ? "update" : "replace";
}

/** Arguments that only Terraform uses: the running resource is not touched. */
const TERRAFORM_ONLY = ["lifecycle", "provisioner", "depends_on", "connection"];

/**
 * The arguments that the provider changes in a running container. For all others it replaces the container
 * (https://registry.terraform.io/providers/kreuzwerker/docker/4.5.0/docs/resources/container).
 */
const CONTAINER_IN_PLACE = [
  ...["memory", "memory_swap", "memory_reservation", "cpus", "cpu_set", "cpu_shares"],
  ...["restart", "max_retry_count", "destroy_grace_seconds", "remove_volumes"],
  ...["attach", "logs", "must_run", "rm", "start", "wait", "wait_timeout"],
];

/** How resources of one type are described. */
interface Words {
  readonly subject: (body: Json, id: string) => string;
  readonly compare: (before: Json, after: Json) => FileChange;
  /** Whether a change of the argument updates the resource in place. */
  readonly inPlace: (key: string) => boolean;
  readonly destroys?: (action: Action, before: Json, after: Json) => string[];
}

const named =
  (kind: string) =>
  (body: Json, id: string): string =>
    `${kind} ${body.name ?? id}`;

const WORDS: Readonly<Record<string, Words>> = {
  docker_container: {
    subject: named("container"),
    compare: compareContainers,
    inPlace: (key) => CONTAINER_IN_PLACE.includes(key),
    destroys: containerLoss,
  },
  docker_image: {
    subject: (body) => `image ${imageReference(body.name).repository}`,
    compare: (before, after) =>
      facts(
        before && after
          ? `version ${versionOf(before)} -> ${versionOf(after)}`
          : `version ${versionOf(after ?? before)}`,
      ),
    inPlace: () => false,
  },
  docker_volume: {
    subject: named("volume"),
    compare: compareVolumes,
    inPlace: () => false,
    destroys: (action, before) => {
      const { name } = before ?? {};
      if (name !== undefined && nodeOfCertificates(name) !== undefined) {
        return [];
      }
      const refusal = before?.lifecycle?.prevent_destroy
        ? "Terraform refuses this (prevent_destroy) and with it the whole stack"
        : "its data is lost";
      return action === "destroy"
        ? [
            // prevent_destroy protects only declared resources.
            `volume ${name} is no longer declared: npm run up keeps it and its data, npx cdktf deploy destroys both`,
          ]
        : action === "replace"
          ? [`volume ${name} would be replaced: ${refusal}; undo the change`]
          : [];
    },
  },
  docker_network: {
    subject: named("network"),
    compare: compareArguments,
    inPlace: () => false,
    destroys: (action, before) =>
      action === "destroy" || action === "replace"
        ? [
            `network ${before.name} is ${action === "replace" ? "replaced" : "removed"}: every container on it loses its connection, and the deploy fails while application containers are connected; disconnect them first`,
          ]
        : [],
  },
  "data.docker_network": {
    subject: (body) => `external network ${body.name}`,
    compare: compareArguments,
    inPlace: () => true,
  },
  grafana_rule_group: {
    subject: named("alert group"),
    compare: compareRules,
    inPlace: () => true,
  },
  grafana_contact_point: {
    subject: named("contact point"),
    compare: compareArguments,
    inPlace: () => true,
  },
  grafana_mute_timing: {
    subject: named("mute timing"),
    compare: compareArguments,
    inPlace: () => true,
  },
  grafana_notification_policy: {
    subject: () => "notification policy",
    compare: compareArguments,
    inPlace: () => true,
  },
  terraform: {
    subject: (_, id) => (id === "backend" ? "state" : `terraform ${id}`),
    compare: compareArguments,
    inPlace: () => true,
    destroys: (action, before, after) =>
      action === "update" && isBackend(before)
        ? [
            `Terraform would start with an empty state in the new backend and fail, since every resource already exists: move the state first, with ${"local" in before && !("local" in after) ? "npm run migrate-state" : "terraform init -migrate-state in the stack's folder"}`,
          ]
        : [],
  },
};

function defaultWords(type: string): Words {
  return {
    subject: named(type.replace(/^(data\.)?(docker|grafana)_/, "$1").replaceAll("_", " ")),
    compare: compareArguments,
    inPlace: () => true,
  };
}

function isBackend(body: Json): boolean {
  return ["local", "s3", "http", "pg", "gcs", "remote"].some((kind) => kind in body);
}

function versionOf({ name }: Json): string {
  const { tag, digest } = imageReference(name);
  return [tag, digest].filter((part) => part !== undefined).join("@");
}

function changedKeys(before: Json, after: Json): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => !isDeepStrictEqual(before[key], after[key]),
  );
}

/** Lists every argument that differs, and nothing if the whole resource is new or removed. */
function compareArguments(before: Json, after: Json): FileChange {
  if (before === undefined || after === undefined) {
    return facts();
  }
  return facts(
    ...changedKeys(before, after).map((key) => describeArgument(key, before[key], after[key])),
  );
}

function describeArgument(key: string, before: Json, after: Json): string {
  if (key === "depends_on") {
    return "deploy order changed";
  }
  return key === "lifecycle"
    ? changedKeys(before ?? {}, after ?? {})
        .map((rule) => `${rule} ${before?.[rule] ?? false} -> ${after?.[rule] ?? false}`)
        .join(", ")
    : `${key} ${brief(before, after)}`;
}

function compareVolumes(before: Json, after: Json): FileChange {
  const exposed = before?.lifecycle?.prevent_destroy && after && !after.lifecycle?.prevent_destroy;
  return {
    ...compareArguments(before, after),
    warnings: exposed
      ? [`volume ${after.name}: Terraform no longer refuses a plan that destroys it`]
      : [],
  };
}

const BRIEF_LENGTH = 60;

/** Shows both values; long ones start where they differ. */
function brief(before: Json, after: Json): string {
  const [old, now] = [before, after].map((value) =>
    value === undefined ? "unset" : typeof value === "string" ? value : JSON.stringify(value),
  );
  let same = 0;
  if (old.length > BRIEF_LENGTH || now.length > BRIEF_LENGTH) {
    while (same < Math.min(old.length, now.length) && old[same] === now[same]) {
      same++;
    }
  }
  const cut = (text: string) => {
    const rest = same > 0 ? `…${text.slice(same)}` : text;
    return rest.length > BRIEF_LENGTH ? `${rest.slice(0, BRIEF_LENGTH)}…` : rest;
  };
  return `${cut(old)} -> ${cut(now)}`;
}

/** Compares containers. Topics and templates of a sidecar are listed even if the sidecar is new. */
function compareContainers(before: Container, after: Container): FileChange {
  const files = compareFiles(before, after);
  if (after === undefined) {
    return files;
  }
  if (before === undefined) {
    const { memory_reservation, memory, image } = after;
    const itself = [`image ${image}`, `memory ${memory} MiB, ${memory_reservation} MiB reserved`];
    return { ...files, details: [...itself, ...files.details] };
  }
  const details = changedKeys(before, after).flatMap((key) => {
    const describe = CONTAINER_ARGUMENTS[key] ?? ((was, is) => [describeArgument(key, was, is)]);
    const argument = key as keyof SynthesizedContainer;
    return describe(before[argument], after[argument]);
  });
  return {
    ...files,
    details: [...details, ...files.details, ...reloadOf(before, after)],
    dataLoss: [...(files.dataLoss ?? []), ...deletedData(before, after)],
    warnings: [...files.warnings, ...otherVersion(before, after)],
  };
}

/** Describes what new files of a job that copies certificates mean for its node. */
function reloadOf(before: SynthesizedContainer, after: SynthesizedContainer): string[] {
  const node = nodeOfCertificates(after.name);
  return node !== undefined && !isDeepStrictEqual(before.upload, after.upload)
    ? [`${node} reloads its certificates, without a restart`]
    : [];
}

/** Why a cluster may not run an older version, by its name. Only a deploy knows what runs. */
const NO_WAY_BACK: Readonly<Record<string, string>> = {
  kafka: "if a newer metadata.version is finalized, which older brokers cannot read",
  opensearch:
    "if a node runs a newer version, since OpenSearch cannot return to an older one with the same data",
};

/** Until when a cluster can return to the version that it has, by its name. */
const WAY_BACK: Readonly<Record<string, string>> = {
  kafka:
    "metadata.version stays until npm run finalize, and until then the previous image can come back",
  opensearch:
    "it cannot return to the previous version with the same data, so take a backup before (npm run backup)",
};

function otherVersion(before: SynthesizedContainer, after: SynthesizedContainer): string[] {
  const cluster = clusterOf(after) ?? "";
  const [was, is] = [imageVersion(before.image), imageVersion(after.image)];
  if (!(cluster in NO_WAY_BACK) || was === undefined || is === undefined || was === is) {
    return [];
  }
  return lt(is, was)
    ? [
        `container ${after.name} goes from version ${was} to ${is}: npm run up refuses this ${NO_WAY_BACK[cluster]}`,
      ]
    : [`${cluster} goes from version ${was} to ${is}: ${WAY_BACK[cluster]}`];
}

const MiB = (name: string) => (before: Json, after: Json) => [`${name} ${before} -> ${after} MiB`];
const changed = (what: string) => () => [`${what} changed`];

const CONTAINER_ARGUMENTS: Readonly<Record<string, (before: Json, after: Json) => string[]>> = {
  memory: MiB("memory"),
  memory_reservation: MiB("memory reservation"),
  // Always equal to memory.
  memory_swap: () => [],
  image: (before, after) => [`image ${before} -> ${after}`],
  env: (before, after) => compareLists("variable", parseEnv(before), parseEnv(after)),
  labels: (before, after) => compareLists("label", parseLabels(before), parseLabels(after)),
  ports: (before, after) => compareLists("port", parsePorts(before), parsePorts(after)),
  networks_advanced: (before, after) =>
    compareLists("network", keyed(before, "name"), keyed(after, "name")),
  volumes: (before, after) =>
    compareLists("mount", keyed(before, "container_path"), keyed(after, "container_path")),
  // compareFiles describes each file.
  upload: () => [],
  healthcheck: changed("health check"),
  command: (before, after) => [`command ${brief(before, after)}`],
  entrypoint: (before, after) => [`entrypoint ${brief(before, after)}`],
  provisioner: changed("provisioner"),
};

/** Parses variables, without the names of what a sidecar provisions: its files are described instead. */
function parseEnv(env: readonly string[] = []): Map<string, string> {
  return new Map(
    env
      .filter((entry) => !entry.startsWith("GROUNDWORK_DECLARED="))
      .map((entry) => {
        const at = entry.indexOf("=");
        return [entry.slice(0, at), entry.slice(at + 1)];
      }),
  );
}

function parseLabels(labels: readonly Label[] = []): Map<string, string> {
  return new Map(labels.map(({ label, value }) => [label, value]));
}

function parsePorts(ports: readonly PublishedPort[] = []): Map<string, string> {
  return new Map(
    ports.map(({ ip, external, internal }) => [`${ip}:${external}`, String(internal)]),
  );
}

function keyed(items: Json[] = [], key: string): Map<string, string> {
  return new Map(
    items.map((item) => {
      const { [key]: name, ...rest } = item;
      return [name, JSON.stringify(rest)];
    }),
  );
}

function compareLists(
  what: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) {
      return [];
    }
    if (old === undefined) {
      return [`${what} ${name} added`];
    }
    return now === undefined ? [`${what} ${name} removed`] : [`${what} ${name} ${brief(old, now)}`];
  });
}

/** The new path of a file, by the path in earlier versions, so that the two are compared. */
const MOVED_FILES: Readonly<Record<string, string>> = {
  [FORMER_TOPICS_FILE]: TOPICS_FILE,
  [FORMER_APPLICATIONS_FILE]: APPLICATIONS_FILE,
};

function compareFiles(before: Container, after: Container): FileChange {
  const files = (body: Container) =>
    new Map(
      (body?.upload ?? []).map(({ file, content = "", source_hash }: Upload) => [
        MOVED_FILES[file] ?? file,
        source_hash ?? unescapeTemplate(content),
      ]),
    );
  const [old, now] = [files(before), files(after)];
  return together(
    [...new Set([...old.keys(), ...now.keys()])].map((path) =>
      describeFile(path, old.get(path), now.get(path), before !== undefined && after !== undefined),
    ),
  );
}

/** Describes the effect on the cluster if the container is one of its nodes. */
function containerLoss(action: Action, before: Container): string[] {
  const cluster = before && clusterOf(before);
  if (before === undefined || cluster === undefined) {
    return [];
  }
  const volumes = (before.volumes ?? []).flatMap(({ volume_name }) => volume_name ?? []).join(", ");
  if (action === "replace") {
    return [
      `container ${before.name} is replaced: ${cluster} runs without it until it is back; its data stays in ${volumes}`,
    ];
  }
  return action === "destroy"
    ? [
        `container ${before.name} is removed from ${cluster}: npm run up first moves its data to the other nodes, npx cdktf deploy does not; ${volumes} stays as it is then`,
      ]
    : [];
}

function compareRules(before: Json, after: Json): FileChange {
  const rules = (body: Json) =>
    new Map<string, Json>((body?.rule ?? []).map((rule: Json) => [rule.name, rule]));
  const [old, now] = [rules(before), rules(after)];
  const details = [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const [was, is] = [old.get(name), now.get(name)];
    if (was === undefined) {
      return [`alert ${name} added`];
    }
    if (is === undefined) {
      return [`alert ${name} removed`];
    }
    return changedKeys(was, is).map(
      (key) => `alert ${name}: ${RULE_ARGUMENTS[key] ?? key} changed`,
    );
  });
  const interval =
    before && after && before.interval_seconds !== after.interval_seconds
      ? [`evaluation interval ${before.interval_seconds} -> ${after.interval_seconds} s`]
      : [];
  return facts(...interval, ...details);
}

const RULE_ARGUMENTS: Readonly<Record<string, string>> = {
  data: "query",
  labels: "severity",
  annotations: "summary or runbook",
  for: "pending period",
};

/** Finds resources that Terraform would destroy and create under the same name only because their id in the code changed. */
function findRenames(found: readonly Difference[]): Map<Difference, Difference | "source"> {
  const renames = new Map<Difference, Difference | "source">();
  for (const added of found.filter(({ before }) => before === undefined)) {
    const source = found.find(
      ({ stack, type, before, after }) =>
        after === undefined &&
        stack === added.stack &&
        type === added.type &&
        before?.name !== undefined &&
        before.name === added.after.name,
    );
    if (source) {
      renames.set(added, source);
      renames.set(source, "source");
    }
  }
  return renames;
}

function renameLoss({ type, id, after }: Difference, from: Difference): string {
  return `${type} ${basename(after.name)} has a new id in the code and would be destroyed and created again: keep the id, or call moveFromId("${type}.${from.id}") on ${type}.${id}`;
}
