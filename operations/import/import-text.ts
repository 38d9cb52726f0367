import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { parseJson } from "../../constructs/container/file";
import { readAlertGroups } from "../../constructs/grafana/alert-group";
import { Dashboard } from "../../constructs/grafana/dashboard";
import { DataStream } from "../../constructs/opensearch/data-stream";
import { IndexTemplate } from "../../constructs/opensearch/index-template";
import type { Json } from "../synthesis/tree";
import { CommandError, counted } from "../terminal/terminal";
import { convertDashboard, isDashboard, otherUid } from "./dashboard";
import { fileName, type Imported } from "./imported";
import { convertTemplate, templateIn } from "./index-template";
import { convertRules, groupsIn } from "./rules";

export interface ImportOptions {
  /** The folder below dashboards/, alerts/, catalog/data-streams/ or catalog/index-templates/. @default - that of the source if it is there, "Imported" for other dashboards, and none */
  readonly folder?: string;
  /** The name of the file, without an extension. @default - that of the source */
  readonly name?: string;
  /** Whether existing files are replaced. */
  readonly replace: boolean;
}

/** Some editors write a byte order mark. */
const BYTE_ORDER_MARK = /^\uFEFF/;

/** Imports a text into a project: a dashboard, a rule file or an index template. Writes nothing if the synth would refuse it. */
export function importText(
  root: string,
  text: string,
  source: string,
  options: ImportOptions,
): Imported {
  for (const [option, value] of Object.entries({ folder: options.folder, name: options.name })) {
    if (value !== undefined && !/^[^/\\.][^/\\]*$/.test(value)) {
      throw new CommandError(
        `--${option} is "${value}": use a name without "/" that does not start with "."`,
      );
    }
  }
  const imported = convert(root, text.replace(BYTE_ORDER_MARK, ""), source, options);
  const existing = [...imported.files.keys()].filter((file) => existsSync(join(root, file)));
  if (existing.length > 0 && !options.replace) {
    throw new CommandError(
      `${existing.join(", ")} already exists: replace it with --replace, or choose another name with --name`,
    );
  }
  const stubs = [...(imported.stubs ?? [])].filter(([file]) => !existsSync(join(root, file)));
  const files = new Map([...imported.files, ...stubs]);
  check(imported);
  for (const [file, content] of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), content);
  }
  return { ...imported, files };
}

function convert(root: string, text: string, source: string, options: ImportOptions): Imported {
  const isJson = text.trimStart().startsWith("{");
  const body: Json = isJson ? parseJson(text, source) : undefined;
  if (body && isDashboard(body)) {
    return importDashboard(root, body, source, options);
  }
  const template = body && templateIn(body);
  if (template) {
    return importTemplate(root, template, source, options);
  }
  const groups = rulesIn(text, source);
  if (groups) {
    return importRules(root, groups, source, options);
  }
  throw new CommandError(
    `${source} is not recognized: it is neither a Grafana dashboard (panels), nor a Prometheus rule file (groups with rules), nor an index template (index_patterns)`,
  );
}

function importDashboard(
  root: string,
  body: Json,
  source: string,
  options: ImportOptions,
): Imported {
  const { model, changes, lost } = convertDashboard(body, source, nameOf(source));
  const file = options.name ?? fileName(nameOf(source) || model.title);
  const path = placeOf(root, ["dashboards"], source, options, `${file}.json`, "Imported");
  const others = jsonBelow(root, "dashboards").filter(([other]) => other !== path);
  const uids = others.map(([, other]) => other.uid);
  const [twin] =
    others.find(
      ([other, { title }]) => dirname(other) === dirname(path) && title === model.title,
    ) ?? [];
  if (twin) {
    throw new CommandError(
      `${twin} has the title "${model.title}" too: choose another folder with --folder, or its name with --name ${basename(twin, ".json")} --replace`,
    );
  }
  const uid = uids.includes(model.uid) ? otherUid(model.uid, path) : model.uid;
  return {
    what: `dashboard "${model.title}"`,
    files: new Map([[path, render({ ...model, uid })]]),
    changes: [
      ...changes,
      ...(uid === model.uid ? [] : [`uid ${model.uid}, which is taken -> ${uid}`]),
    ],
    lost,
  };
}

function importRules(
  root: string,
  groups: Json[],
  source: string,
  options: ImportOptions,
): Imported {
  const name = options.name ?? fileName(nameOf(source));
  const path = placeOf(root, ["alerts"], source, options, `${name}.yml`);
  const others = filesBelow(root, "alerts")
    .filter((file) => file !== path)
    .flatMap((file) => rulesIn(readFileSync(join(root, file), "utf8"), file) ?? []);
  const { content, runbooks, alerts, recordings, changes, lost } = convertRules(groups, name, {
    groups: new Set(others.map((group) => group.name)),
    alerts: new Set(others.flatMap(({ rules }) => rules.flatMap(({ alert }: Json) => alert ?? []))),
  });
  const counts = [
    ...(alerts > 0 ? [counted(alerts, "alert")] : []),
    ...(recordings > 0 ? [counted(recordings, "recording rule")] : []),
  ];
  return {
    what: counts.join(" and "),
    files: new Map([[path, content]]),
    stubs: runbooks,
    changes,
    lost,
  };
}

function importTemplate(
  root: string,
  template: { readonly name?: string; readonly body: Json },
  source: string,
  options: ImportOptions,
): Imported {
  const [pattern] = [template.body.index_patterns ?? template.body.template].flat();
  const given = options.name ?? template.name ?? (nameOf(source) || fileName(String(pattern)));
  // A template's name may contain dots.
  const name = given.toLowerCase().replace(/[^a-z0-9._-]+/g, "-");
  const bases = template.body.data_stream
    ? [DATA_STREAMS, INDEX_TEMPLATES]
    : [INDEX_TEMPLATES, DATA_STREAMS];
  const path = placeOf(root, bases, source, options, `${name}.json`);
  const existing = bases
    .flatMap((base) => jsonBelow(root, base))
    .filter(([other]) => other !== path);
  const [twin] = existing.find(([other]) => basename(other) === basename(path)) ?? [];
  if (twin) {
    throw new CommandError(
      `${twin} declares index template "${name}" too: remove it, or choose another name with --name`,
    );
  }
  const others = existing.map(([other, body]) => ({ name: basename(other, ".json"), body }));
  const components = jsonBelow(root, join("catalog", "component-templates")).map(([other]) =>
    basename(other, ".json"),
  );
  const { body, changes, lost } = convertTemplate(template.body, name, others, components);
  return {
    what: `index template "${name}"`,
    files: new Map([[path, render(body)]]),
    changes,
    lost,
  };
}

const DATA_STREAMS = "catalog/data-streams";
const INDEX_TEMPLATES = "catalog/index-templates";

/** Returns the path of a file in the project: below the first base, unless the source is below one of them already, where it stays. */
function placeOf(
  root: string,
  bases: readonly string[],
  source: string,
  { folder, name }: ImportOptions,
  file: string,
  defaultFolder = "",
): string {
  const own = relative(root, resolve(source));
  return bases.some((base) => own.startsWith(`${base}/`)) &&
    folder === undefined &&
    name === undefined
    ? own
    : join(bases[0], folder ?? defaultFolder, file);
}

/** Reads what is imported as the synth does, in a folder of its own. */
function check({ files, stubs = new Map() }: Imported): void {
  const root = mkdtempSync(join(tmpdir(), "groundwork-import-"));
  try {
    for (const [file, content] of [...files, ...stubs]) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), content);
    }
    for (const file of files.keys()) {
      const path = join(root, file);
      if (file.startsWith("dashboards")) {
        Dashboard.fromFile(path);
      } else if (file.startsWith("alerts")) {
        readAlertGroups(join(root, "alerts"), root);
      } else if (file.startsWith(DATA_STREAMS)) {
        DataStream.fromFile(path);
      } else {
        IndexTemplate.fromFile(path);
      }
    }
  } catch (error) {
    throw new CommandError((error as Error).message.replaceAll(`${root}/`, ""));
  } finally {
    rmSync(root, { recursive: true });
  }
}

function rulesIn(text: string, source: string): Json[] | undefined {
  try {
    return groupsIn(text);
  } catch (error) {
    throw new CommandError(`${source}:${(error as Error).message}`);
  }
}

/** Returns the name of a file without its extension, or "" for standard input. */
const nameOf = (source: string) =>
  source === STANDARD_INPUT ? "" : basename(source, extname(source));

/** The source of what is not a file, for messages. */
export const STANDARD_INPUT = "standard input";

const render = (body: Json) => `${JSON.stringify(body, null, 2)}\n`;

function filesBelow(root: string, folder: string): string[] {
  return existsSync(join(root, folder))
    ? (readdirSync(join(root, folder), { recursive: true }) as string[])
        .filter((file) => /\.(json|ya?ml)$/.test(file))
        .map((file) => join(folder, file))
    : [];
}

/** Returns the JSON files of a folder with their content. One that is invalid is the synth's to refuse. */
function jsonBelow(root: string, folder: string): [string, Json][] {
  return filesBelow(root, folder).flatMap((file) => {
    try {
      return [[file, JSON.parse(readFileSync(join(root, file), "utf8"))] as [string, Json]];
    } catch {
      return [];
    }
  });
}
