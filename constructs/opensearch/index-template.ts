import { basename } from "node:path";
import { unknownName } from "../container/declaration";
import { filesIn, readJsonFile } from "../container/file";
import { all, validate } from "../container/validation";
import type { DriftPolicy } from "../init-sidecar/drift-policy";
import { refusalOfIndexPattern } from "./index-name";
import { isLegacyTemplate, toComposable } from "./legacy-template";

export interface IndexTemplateProps {
  /**
   * What to do if the template was edited since Groundwork applied it, or was created by something else. A changed declaration is
   * applied with every policy.
   *
   * @default "fail"
   */
  readonly onDrift?: DriftPolicy;

  /**
   * The names of component templates that the cluster already has. Only these may be in `composed_of`.
   *
   * @default - none
   */
  readonly componentTemplates?: readonly string[];
}

/** The body of a composable index template (https://docs.opensearch.org/latest/im-plugin/index-templates/). */
export interface IndexTemplateBody {
  readonly index_patterns: readonly string[];
  readonly priority?: number | string;
  readonly template?: Readonly<Record<string, unknown>>;
  readonly composed_of?: readonly string[];
  readonly version?: number | string;
  readonly data_stream?: Readonly<Record<string, unknown>>;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

const KNOWN_KEYS = [
  "index_patterns",
  "priority",
  "template",
  "composed_of",
  "version",
  "data_stream",
  "_meta",
];

const TEMPLATE_KEYS = ["settings", "mappings", "aliases"];

/** An index template that is active once a deploy has succeeded. It is validated at synth. */
export class IndexTemplate {
  /** Creates a template from a JSON file. Its name is the file name without `.json`. Throws if the name or the body is invalid. */
  static fromFile(path: string, props: IndexTemplateProps = {}): IndexTemplate {
    const name = basename(path, ".json");
    return new IndexTemplate(name, parseBody(path, props), props.onDrift ?? "fail");
  }

  /** Creates a template from every `*.json` of a directory and its subdirectories. Throws if another file is there. */
  static fromDirectory(path: string, props: IndexTemplateProps = {}): IndexTemplate[] {
    const files = filesIn(path, [".json"], "an index template");
    return all(...files.map((file) => () => IndexTemplate.fromFile(file, props)));
  }

  private constructor(
    readonly name: string,
    readonly body: IndexTemplateBody,
    readonly onDrift: DriftPolicy,
  ) {}
}

function parseBody(
  path: string,
  { componentTemplates = [] }: IndexTemplateProps,
): IndexTemplateBody {
  const read = readJsonFile(path, "index template");
  const what = `index template ${path}`;
  validate(
    !isLegacyTemplate(read),
    () =>
      `${what} is a legacy template, which has less precedence than any composable one: replace it, or run npm run import -- ${path} --replace; as a composable template, it is\n${JSON.stringify(toComposable(read), null, 2)}`,
  );
  // OpenSearch reads a text as a list of one.
  const body: Partial<IndexTemplateBody> =
    typeof read.index_patterns === "string"
      ? { ...read, index_patterns: [read.index_patterns] }
      : read;
  const name = basename(path, ".json");
  const { index_patterns: patterns, composed_of: components = [] } = body;
  const check = (holds: boolean, message: () => string) => () => validate(holds, message);
  all(
    check(
      /^[a-z0-9][a-z0-9._-]*$/.test(name),
      () =>
        `${what}: the name "${name}" is invalid: use lowercase letters, digits, ".", "_" and "-", starting with a letter or digit`,
    ),
    ...Object.keys(body).map((key) =>
      check(KNOWN_KEYS.includes(key), () => `${what} has ${unknownName(key, KNOWN_KEYS)}`),
    ),
    ...(["template", "data_stream", "_meta"] as const).map((key) =>
      check(
        body[key] === undefined || isObject(body[key]),
        () => `${what} has ${key} ${JSON.stringify(body[key])}: it must be an object`,
      ),
    ),
    ...Object.keys(isObject(body.template) ? body.template : {}).map((key) =>
      check(
        TEMPLATE_KEYS.includes(key),
        () => `${what}: template has ${unknownName(key, TEMPLATE_KEYS)}`,
      ),
    ),
    check(
      Array.isArray(patterns) &&
        patterns.length > 0 &&
        patterns.every((pattern) => typeof pattern === "string" && pattern !== ""),
      () =>
        `${what} has no index_patterns: list the index names that it applies to, such as ["logs-*"]`,
    ),
    ...(Array.isArray(patterns) ? patterns : [])
      .filter((pattern) => typeof pattern === "string" && pattern !== "")
      .map((pattern) => () => {
        const refusal = refusalOfIndexPattern(pattern, "*");
        validate(
          refusal === undefined,
          () => `${what} has the index pattern "${pattern}": ${refusal}`,
        );
      }),
    ...(["version", "priority"] as const).map((key) =>
      check(
        body[key] === undefined || /^\d+$/.test(String(body[key])),
        () => `${what} has the ${key} ${JSON.stringify(body[key])}: use a whole number, such as 1`,
      ),
    ),
    check(
      Array.isArray(components),
      () => `${what} has composed_of ${JSON.stringify(components)}: use a list of names`,
    ),
    ...(Array.isArray(components) ? components : []).map((component) =>
      check(
        componentTemplates.includes(component),
        () =>
          `${what} is composed of the component template "${component}", which is not declared: copy its settings and mappings into template, or add it to componentTemplates in catalog/index.ts if the cluster has it; declared: ${componentTemplates.join(", ") || "none"}`,
      ),
    ),
  );
  return body as IndexTemplateBody;
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
