import { existsSync } from "node:fs";
import type { UploadedFile } from "../container/file";
import { all, validate } from "../container/validation";
import type { DriftPolicy } from "../init-sidecar/drift-policy";
import {
  type Body,
  type Check,
  check,
  commonChecks,
  type DeclaredResource,
  type DeclaredResourceProps,
  isObject,
  nameOfFile,
  readBody,
  resourceFile,
  resourceFiles,
  unknownKeys,
} from "./declared-resource";

const KEYS = ["description", "version", "processors", "on_failure"];

const TEST_KEYS = ["name", "document", "expected", "error"];

/** A document, and what a pipeline makes of it. */
interface PipelineTest {
  readonly document: Body;
  /** The whole document afterwards, in which `"<any>"` stands for any value, or null if the pipeline drops it. */
  readonly expected?: Body | null;
  /** The reason with which the pipeline fails. */
  readonly error?: string;
}

/** An ingest pipeline, which exists and passes its tests once a deploy has succeeded. It is validated at synth. */
export class IngestPipeline implements DeclaredResource {
  /**
   * Creates a pipeline from a JSON file. Its name is the file name without `.json`. If there is a `<name>.tests.json` beside it, it has the
   * tests. Throws if the name, the body or a test is invalid.
   */
  static fromFile(path: string, props: DeclaredResourceProps = {}): IngestPipeline {
    const testFile = testsOf(path);
    const [body, tests] = all(
      () => parseBody(path),
      () => (existsSync(testFile) ? parseTests(testFile) : []),
    );
    return new IngestPipeline(
      nameOfFile(path),
      body,
      props.onDrift ?? "fail",
      props.ingestPipelines ?? [],
      tests,
    );
  }

  /** Creates a pipeline from every `*.json` of a directory and its subdirectories. Throws if another file is there. */
  static fromDirectory(path: string, props: DeclaredResourceProps = {}): IngestPipeline[] {
    const files = resourceFiles(path, "ingest-pipeline");
    const pipelines = files.filter((file) => !file.endsWith(TESTS));
    const known = pipelines.map(testsOf);
    const [found] = all(
      () => all(...pipelines.map((file) => () => IngestPipeline.fromFile(file, props))),
      ...files
        .filter((file) => file.endsWith(TESTS))
        .map((file) =>
          check(
            known.includes(file),
            () => `${file} tests no pipeline: add ${file.replace(TESTS, ".json")}, or remove it`,
          ),
        ),
    );
    return found;
  }

  readonly kind = "ingest-pipeline";

  private constructor(
    readonly name: string,
    readonly body: Body,
    readonly onDrift: DriftPolicy,
    readonly ingestPipelines: readonly string[],
    private readonly tests: readonly PipelineTest[],
  ) {}

  /** Renders its tests: a line with the documents, and one with the response that a simulation has if they pass. @internal */
  renderTests(): UploadedFile[] {
    if (this.tests.length === 0) {
      return [];
    }
    const documents = this.tests.map(({ document }) => ({ _source: document }));
    const docs = this.tests.map(({ expected, error }) =>
      error !== undefined
        ? { error: { reason: error } }
        : expected && { doc: { _source: expected } },
    );
    const lines = [documents, { docs }].map((line) => JSON.stringify(line));
    return [resourceFile(this, "tests", lines.join("\n"))];
  }
}

const TESTS = ".tests.json";

const testsOf = (path: string) => path.replace(/\.json$/, TESTS);

function parseBody(path: string): Body {
  const body = readBody(path, "ingest-pipeline");
  const what = `ingest pipeline ${path}`;
  all(
    ...commonChecks(what, nameOfFile(path), body, KEYS, "any"),
    check(
      body.description === undefined || typeof body.description === "string",
      () => `${what} has the description ${JSON.stringify(body.description)}: it must be a text`,
    ),
    check(
      body.processors !== undefined,
      () => `${what} has no processors: list them, such as [{ "lowercase": { "field": "level" } }]`,
    ),
    ...processorChecks(what, "processors", body.processors),
    ...processorChecks(what, "on_failure", body.on_failure),
  );
  return body;
}

/** Checks a list of processors, and those in their `on_failure`. */
function processorChecks(what: string, place: string, processors: unknown): Check[] {
  if (processors === undefined) {
    return [];
  }
  if (!Array.isArray(processors)) {
    return [
      check(false, () => `${what} has ${place} ${JSON.stringify(processors)}: it must be a list`),
    ];
  }
  return processors.flatMap((processor, i) => {
    const types = Object.keys(isObject(processor) ? processor : {});
    const [inner] = Object.values(isObject(processor) ? processor : {});
    return [
      // OpenSearch reads the text of a script as its source.
      check(
        types.length === 1 &&
          (isObject(inner) || (types[0] === "script" && typeof inner === "string")),
        () =>
          types.length > 1
            ? `${what}: ${place}[${i}] has the keys ${types.join(", ")}: a processor has one, its type; write an entry for each`
            : `${what}: ${place}[${i}] is ${JSON.stringify(processor)}: write a processor, such as { "lowercase": { "field": "level" } }`,
      ),
      ...(isObject(inner)
        ? processorChecks(what, `${place}[${i}].${types[0]}.on_failure`, inner.on_failure)
        : []),
    ];
  });
}

function parseTests(path: string): PipelineTest[] {
  const { tests, ...others } = readBody(path, "ingest-pipeline");
  const what = `ingest pipeline ${path}`;
  validate(
    Array.isArray(tests),
    () =>
      `${what} has no list of tests: write { "tests": [{ "document": {...}, "expected": {...} }] }`,
  );
  all(
    ...unknownKeys(what, { tests, ...others }, ["tests"]),
    ...tests.flatMap((test: unknown, i: number) => {
      const place = `${what}: tests[${i}]`;
      if (!isObject(test)) {
        return [check(false, () => `${place} is ${JSON.stringify(test)}: it must be an object`)];
      }
      const { document, expected, error } = test;
      return [
        ...unknownKeys(place, test, TEST_KEYS),
        check(isObject(document), () => `${place} has no document: write one, such as {}`),
        check(
          (expected === undefined) !== (error === undefined),
          () =>
            `${place} must have either expected, the document afterwards or null if it is dropped, or error, the reason of the failure`,
        ),
        check(
          expected === undefined || expected === null || isObject(expected),
          () => `${place} has expected ${JSON.stringify(expected)}: it must be an object or null`,
        ),
        check(
          error === undefined || typeof error === "string",
          () => `${place} has the error ${JSON.stringify(error)}: it must be a text`,
        ),
      ];
    }),
  );
  return tests;
}
