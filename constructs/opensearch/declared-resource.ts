import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { unknownName } from "../container/declaration";
import { filesIn, readJsonFile, type UploadedFile } from "../container/file";
import { type FileChange, facts } from "../container/file-change";
import { validate } from "../container/validation";
import type { DriftPolicy } from "../init-sidecar/drift-policy";
import { removalCommand } from "../init-sidecar/left-over";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import { deletedSooner, describeManagedIndices } from "./deleted-sooner";

/** The kinds of resources that os-init provisions, in the order in which they refer to each other. */
const KINDS = [
  "component-template",
  "ingest-pipeline",
  // Before an index template makes an index: a policy is attached to new ones only.
  "retention-policy",
  "index-template",
] as const;

export type Kind = (typeof KINDS)[number];

export type Body = Readonly<Record<string, unknown>>;

/** A resource of OpenSearch that a JSON file declares. */
export interface DeclaredResource {
  readonly kind: Kind;
  readonly name: string;
  readonly body: object;
  readonly onDrift: DriftPolicy;
  /** Component templates and ingest pipelines that the cluster has from elsewhere. */
  readonly componentTemplates?: readonly string[];
  readonly ingestPipelines: readonly string[];
}

export interface DeclaredResourceProps {
  /**
   * What to do if the resource was edited since Groundwork applied it, or was created by something else. A changed declaration is
   * applied with every policy.
   *
   * @default "fail"
   */
  readonly onDrift?: DriftPolicy;

  /**
   * The names of ingest pipelines that the cluster has from elsewhere. Besides the declared ones, only these may be used.
   *
   * @default - none
   */
  readonly ingestPipelines?: readonly string[];

  /**
   * The patterns of data streams and rollover aliases that the cluster has from elsewhere. Besides the declared ones, only these may be
   * rolled over by a retention policy.
   *
   * @default - none
   */
  readonly dataStreams?: readonly string[];
}

/** Names a kind in messages: `component template`. */
const wordsOf = (kind: Kind) => kind.replace("-", " ");

/** Names the folder of a kind, in the container. */
const folderOf = (kind: Kind) => `${kind}s`.replace(/ys$/, "ies");

/** Names a resource in messages: `component template "base"`. */
export const calledResource = ({ kind, name }: Pick<DeclaredResource, "kind" | "name">) =>
  `${wordsOf(kind)} "${name}"`;

/** Names a resource in the log of os-init. Index templates, which were the only kind, have no prefix. */
export const loggedName = ({ kind, name }: DeclaredResource) =>
  kind === "index-template" ? name : `${kind}/${name}`;

/** The paths of the files that declare resources, in a directory and its subdirectories. */
export function resourceFiles(directory: string, kind: Kind): string[] {
  const article = /^[aeiou]/.test(kind) ? "an" : "a";
  return filesIn(directory, [".json"], `${article} ${wordsOf(kind)}`);
}

export const nameOfFile = (path: string) => basename(path, ".json");

/** Reads the body in a JSON file. */
export const readBody = (path: string, kind: Kind) => readJsonFile(path, wordsOf(kind));

export type Check = () => void;

export const check =
  (holds: boolean, message: () => string): Check =>
  () =>
    validate(holds, message);

/**
 * Checks a resource's name, its keys, and the keys that all kinds have. OpenSearch refuses capitals only in the names of templates, so
 * `letters` of other kinds are "any".
 */
export function commonChecks(
  what: string,
  name: string,
  body: Body,
  keys: readonly string[],
  letters: "lowercase" | "any" = "lowercase",
) {
  return [
    check(
      (letters === "any" ? /^[a-z0-9][a-z0-9._-]*$/i : /^[a-z0-9][a-z0-9._-]*$/).test(name),
      () =>
        `${what}: the name "${name}" is invalid: use ${letters === "any" ? "" : "lowercase "}letters, digits, ".", "_" and "-", starting with a letter or digit`,
    ),
    ...unknownKeys(what, body, keys),
    ...wholeNumbers(what, body, "version"),
    ...objects(what, body, "_meta"),
  ];
}

export const unknownKeys = (what: string, body: Body, known: readonly string[]): Check[] =>
  Object.keys(body).map((key) =>
    check(known.includes(key), () => `${what} has ${unknownName(key, known)}`),
  );

export const wholeNumbers = (what: string, body: Body, ...keys: readonly string[]): Check[] =>
  keys.map((key) =>
    check(
      body[key] === undefined || /^\d+$/.test(String(body[key])),
      () => `${what} has the ${key} ${JSON.stringify(body[key])}: use a whole number, such as 1`,
    ),
  );

export const objects = (what: string, body: Body, ...keys: readonly string[]): Check[] =>
  keys.map((key) =>
    check(
      body[key] === undefined || isObject(body[key]),
      () => `${what} has ${key} ${JSON.stringify(body[key])}: it must be an object`,
    ),
  );

/** Checks the part that index templates and component templates share. */
export function templateChecks(what: string, { template }: Body): Check[] {
  return [
    ...objects(what, { template }, "template"),
    ...unknownKeys(`${what}: template`, isObject(template) ? template : {}, [
      ...["settings", "mappings", "aliases"],
    ]),
  ];
}

export const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The field that has the fingerprint. OpenSearch accepts no `_meta` in a pipeline or policy. */
function markedField({ kind, body }: DeclaredResource): Body {
  const { description, _meta } = body as Body;
  return kind === "ingest-pipeline" || kind === "retention-policy"
    ? { description: `${description ? `${description} ` : ""}[fingerprint @FINGERPRINT@]` }
    : { _meta: { ...(_meta as Body | undefined), fingerprint: "@FINGERPRINT@" } };
}

/**
 * Renders the files of a resource as os-init.sh reads them, with one line per field: Terraform's time grows with the square of a text's
 * number of lines. `template` is never the last field.
 */
export function renderResource(resource: DeclaredResource): UploadedFile[] {
  const { index_patterns, ...rest } = resource.body as Body;
  const laidOut = {
    ...rest,
    ...(resource.kind === "index-template" && { composed_of: rest.composed_of ?? [] }),
    ...markedField(resource),
    ...(index_patterns !== undefined && { index_patterns }),
  };
  const fields = Object.entries(laidOut).map(
    ([field, value]) => `  ${JSON.stringify(field)}: ${JSON.stringify(value)}`,
  );
  return [
    resourceFile(resource, "json", `{\n${fields.join(",\n")}\n}`),
    resourceFile(resource, "on-drift", resource.onDrift),
  ];
}

/** A file of a resource in the container. */
export function resourceFile(
  { kind, name }: DeclaredResource,
  suffix: string,
  content: string,
): UploadedFile {
  return { path: `${SIDECAR_DIR}/${folderOf(kind)}/${name}.${suffix}`, content: `${content}\n` };
}

/** Describes a resource's change by the file that OpenSearch gets, and its drift policy by the policy file. */
export function describeResourceFile(path: string, before?: string, after?: string): FileChange {
  const [, folder, name, part] =
    /\/([a-z-]+)\/([^/]*?)\.(compare\.json|tests|json|meta|on-drift|managed-indices)$/.exec(path) ??
    [];
  const kind = KINDS.find((one) => folderOf(one) === folder);
  if (kind === undefined) {
    return facts();
  }
  const what = `${wordsOf(kind)} ${name}`;
  if (part === "on-drift") {
    return before !== undefined && after !== undefined
      ? facts(`${what}: onDrift ${before.trim()} -> ${after.trim()}`)
      : facts();
  }
  if (part === "tests") {
    return before !== undefined && after !== undefined ? facts(`${what}: tests changed`) : facts();
  }
  if (part === "managed-indices") {
    return before !== undefined && after !== undefined
      ? describeManagedIndices(name, before.trim(), after.trim())
      : facts();
  }
  if (part !== "json") {
    return facts();
  }
  if (after === undefined) {
    return {
      ...facts(`${what}: no longer declared`),
      destructive: [
        kind === "retention-policy"
          ? `${what} is no longer declared: OpenSearch keeps it and still applies it to its indices, but os-init no longer checks or repairs it. Once this is deployed and no index follows it, ${removalCommand(kind, name)} removes it`
          : `${what} is no longer declared: OpenSearch keeps it, but os-init no longer checks or repairs it. Once this is deployed, ${removalCommand(kind, name)} removes it`,
      ],
    };
  }
  if (before === undefined) {
    const { index_patterns = [], ism_template = [] } = JSON.parse(after);
    const patterns = [{ index_patterns }, ...ism_template].flatMap((one) => one.index_patterns);
    return {
      ...facts(`${what}: added${patterns.length > 0 ? `, for ${patterns.join(", ")}` : ""}`),
      ...(kind === "retention-policy" && { newlyDeclared: [{ kind, name }] }),
    };
  }
  const [was, is] = [JSON.parse(before), JSON.parse(after)];
  return {
    ...facts(`${what}: ${differingPaths(was, is).join(", ")} changed`),
    warnings: [`${what}: ${UNCHANGED[kind]}`],
    ...(kind === "retention-policy" && { dataLoss: deletedSooner(name, was, is) }),
  };
}

/** What a changed declaration does not change. */
const UNCHANGED: Readonly<Record<Kind, string>> = {
  "component-template": "existing indices keep their mapping",
  "ingest-pipeline": "indexed documents stay as they are",
  "retention-policy":
    'indices that it manages already keep its earlier version, unless managedIndices is "change"',
  "index-template": "existing indices keep their mapping",
};

/** Whether os-init reads a file for the declaration of a resource. */
export const isResourceFile = (path: string) =>
  KINDS.some((kind) => path.startsWith(`${SIDECAR_DIR}/${folderOf(kind)}/`));

/** Returns the paths that differ, as deep as both sides have the same shape. */
function differingPaths(before: unknown, after: unknown, path = ""): string[] {
  if (!isObject(before) || !isObject(after)) {
    return isDeepStrictEqual(before, after) ? [] : [path];
  }
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differingPaths(before[key], after[key], path === "" ? key : `${path}.${key}`),
  );
}
