import { all, validate } from "../container/validation";
import type { DriftPolicy } from "../init-sidecar/drift-policy";
import {
  check,
  commonChecks,
  type DeclaredResource,
  type DeclaredResourceProps,
  nameOfFile,
  objects,
  readBody,
  resourceFiles,
  templateChecks,
  wholeNumbers,
} from "./declared-resource";
import { refusalOfIndexPattern } from "./index-name";
import { isLegacyTemplate, toComposable } from "./legacy-template";

export interface IndexTemplateProps extends DeclaredResourceProps {
  /**
   * The names of component templates that the cluster already has. Besides the declared ones, only these may be in `composed_of`.
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

/** An index template that is active once a deploy has succeeded. It is validated at synth. */
export class IndexTemplate implements DeclaredResource {
  /** Creates a template from a JSON file. Its name is the file name without `.json`. Throws if the name or the body is invalid. */
  static fromFile(path: string, props: IndexTemplateProps = {}): IndexTemplate {
    return new IndexTemplate(
      nameOfFile(path),
      parseBody(path),
      props.onDrift ?? "fail",
      props.ingestPipelines ?? [],
      props.componentTemplates ?? [],
    );
  }

  /** Creates a template from every `*.json` of a directory and its subdirectories. Throws if another file is there. */
  static fromDirectory(path: string, props: IndexTemplateProps = {}): IndexTemplate[] {
    const files = resourceFiles(path, "index-template");
    return all(...files.map((file) => () => IndexTemplate.fromFile(file, props)));
  }

  readonly kind = "index-template";

  private constructor(
    readonly name: string,
    readonly body: IndexTemplateBody,
    readonly onDrift: DriftPolicy,
    readonly ingestPipelines: readonly string[],
    readonly componentTemplates: readonly string[],
  ) {}
}

function parseBody(path: string): IndexTemplateBody {
  const read = readBody(path, "index-template");
  const what = `index template ${path}`;
  validate(
    !isLegacyTemplate(read) ||
      read.index_patterns !== undefined ||
      typeof read.template === "string",
    () =>
      `${what} has no index_patterns: list the index names that it applies to, such as ["logs-*"]. It is a legacy template, too: move settings, mappings and aliases into "template"`,
  );
  validate(
    !isLegacyTemplate(read),
    () =>
      `${what} is a legacy template, which has less precedence than any composable one: replace it, or run npm run import -- ${path} --replace; as a composable template, it is\n${JSON.stringify(toComposable(read), null, 2)}`,
  );
  // OpenSearch reads a text as a list of one.
  const body: Readonly<Record<string, unknown>> =
    typeof read.index_patterns === "string"
      ? { ...read, index_patterns: [read.index_patterns] }
      : read;
  const { index_patterns: patterns, composed_of: components = [] } = body;
  all(
    ...commonChecks(what, nameOfFile(path), body, KNOWN_KEYS),
    ...templateChecks(what, body),
    ...objects(what, body, "data_stream"),
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
    ...wholeNumbers(what, body, "priority"),
    check(
      Array.isArray(components) && components.every((name) => typeof name === "string"),
      () => `${what} has composed_of ${JSON.stringify(components)}: use a list of names`,
    ),
  );
  return body as unknown as IndexTemplateBody;
}
