import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { unknownName } from "../container/declaration";
import { readJsonFile } from "../container/file";
import { all, validate } from "../container/validation";
import type { DriftPolicy } from "../init-sidecar/drift-policy";

export interface IndexTemplateProps {
  /**
   * What to do if the template exists and differs from its declaration.
   *
   * @default "fail"
   */
  readonly onDrift?: DriftPolicy;
}

/** The body of a composable index template (https://docs.opensearch.org/latest/im-plugin/index-templates/). */
export interface IndexTemplateBody {
  readonly index_patterns: readonly string[];
  readonly priority?: number;
  readonly template?: Readonly<Record<string, unknown>>;
  readonly composed_of?: readonly string[];
  readonly version?: number;
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
export class IndexTemplate {
  /** Creates a template from a JSON file. Its name is the file name without `.json`. Throws if the name or the body is invalid. */
  static fromFile(path: string, props: IndexTemplateProps = {}): IndexTemplate {
    const name = basename(path, ".json");
    return new IndexTemplate(name, parseBody(path), props.onDrift ?? "fail");
  }

  /** Creates a template from every `*.json` of a directory, sorted by name. */
  static fromDirectory(path: string, props: IndexTemplateProps = {}): IndexTemplate[] {
    const files = readdirSync(path).filter((file) => file.endsWith(".json"));
    return all(
      ...files.sort().map((file) => () => IndexTemplate.fromFile(join(path, file), props)),
    );
  }

  private constructor(
    readonly name: string,
    readonly body: IndexTemplateBody,
    readonly onDrift: DriftPolicy,
  ) {}
}

function parseBody(path: string): IndexTemplateBody {
  const body = readJsonFile(path, "index template");
  const name = basename(path, ".json");
  const patterns = (body as Partial<IndexTemplateBody>).index_patterns;
  all(
    () =>
      validate(
        /^[a-z0-9][a-z0-9._-]*$/.test(name),
        () =>
          `index template ${path}: the name "${name}" is invalid: use lowercase letters, digits, ".", "_" and "-", starting with a letter or digit`,
      ),
    ...Object.keys(body).map(
      (key) => () =>
        validate(
          KNOWN_KEYS.includes(key),
          () => `index template ${path} has ${unknownName(key, KNOWN_KEYS)}`,
        ),
    ),
    () =>
      validate(
        Array.isArray(patterns) &&
          patterns.length > 0 &&
          patterns.every((pattern) => typeof pattern === "string" && pattern !== ""),
        () =>
          `index template ${path} has no index_patterns: list the index names that it applies to, such as ["logs-*"]`,
      ),
  );
  return body as unknown as IndexTemplateBody;
}
