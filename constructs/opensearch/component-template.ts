import { all } from "../container/validation";
import type { DriftPolicy } from "../init-sidecar/drift-policy";
import {
  type Body,
  check,
  commonChecks,
  type DeclaredResource,
  type DeclaredResourceProps,
  nameOfFile,
  readBody,
  resourceFiles,
  templateChecks,
} from "./declared-resource";

/** A component template, of which index templates are composed. It exists once a deploy has succeeded. It is validated at synth. */
export class ComponentTemplate implements DeclaredResource {
  /** Creates a template from a JSON file. Its name is the file name without `.json`. Throws if the name or the body is invalid. */
  static fromFile(path: string, props: DeclaredResourceProps = {}): ComponentTemplate {
    return new ComponentTemplate(
      nameOfFile(path),
      parseBody(path),
      props.onDrift ?? "fail",
      props.ingestPipelines ?? [],
    );
  }

  /** Creates a template from every `*.json` of a directory and its subdirectories. Throws if another file is there. */
  static fromDirectory(path: string, props: DeclaredResourceProps = {}): ComponentTemplate[] {
    const files = resourceFiles(path, "component-template");
    return all(...files.map((file) => () => ComponentTemplate.fromFile(file, props)));
  }

  readonly kind = "component-template";

  private constructor(
    readonly name: string,
    readonly body: Body,
    readonly onDrift: DriftPolicy,
    readonly ingestPipelines: readonly string[],
  ) {}
}

function parseBody(path: string): Body {
  const body = readBody(path, "component-template");
  const what = `component template ${path}`;
  all(
    ...commonChecks(what, nameOfFile(path), body, ["template", "version", "_meta"]),
    check(
      body.template !== undefined,
      () => `${what} has no template: give it settings, mappings or aliases, or {}`,
    ),
    ...templateChecks(what, body),
  );
  return body;
}
