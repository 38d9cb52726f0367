import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { PROJECT_ROOT } from "../../operations/synthesis/project";

/** The pages of docs/reference/, and the exported types on each in order. */
export const REFERENCE_PAGES: Readonly<
  Record<string, { readonly title: string; readonly types: readonly string[] }>
> = {
  environment: {
    title: "Environment settings",
    types: [
      "Environment",
      "NetworkSettings",
      "Machine",
      "StateBackend",
      "Backup",
      "BackupRepository",
      "Oidc",
      "Smtp",
    ],
  },
  catalog: {
    title: "Catalog",
    types: [
      ...[
        "Topic",
        "TopicConfigs",
        "Application",
        "Quotas",
        "RestrictedRead",
        "IndexTemplateProps",
        "DeclaredResourceProps",
        "RetentionRule",
        "RetentionPolicyProps",
        "Notifications",
        "ContactPointProps",
        "HeartbeatProps",
        "Secret",
      ],
      ...["MuteTimingProps", "NotificationPolicyProps", "NotificationRoute"],
    ],
  },
  constructs: {
    title: "Constructs",
    types: [
      ...["ServiceContainerProps", "HealthCheck", "LoopbackPort", "Ulimit", "ServiceSettings"],
      ...["NetworkProps", "DataVolumeProps", "OpenSearchClusterProps", "OpenSearchInitProps"],
      ...[
        "OpenSearchSecurityProps",
        "OpenSearchBackupProps",
        "KafkaClusterProps",
        "KafkaInitProps",
      ],
      ...["ClusterNodeProps"],
      ...["InitSidecarProps", "RetryProps", "Security"],
      ...["EngineProxyProps", "ExitRelayProps", "PrometheusProps", "Declaration", "LokiProps"],
      ...["AlloyProps", "GrafanaProps", "DataSource", "RuleGroupProps", "AlertGroup", "AlertRule"],
      ...["RecordingGroup", "RecordingRule"],
    ],
  },
};

type Declaration = ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

/** The exported types of the project, and the schemas that some are derived from, by name. */
export interface Types {
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly schemas: ReadonlyMap<string, ts.VariableDeclaration>;
}

export function exportedTypes(): Types {
  const declarations = new Map<string, Declaration>();
  const schemas = new Map<string, ts.VariableDeclaration>();
  for (const folder of ["environments", "stacks", "constructs"]) {
    const files = readdirSync(join(PROJECT_ROOT, folder), { recursive: true }) as string[];
    for (const file of files.filter((name) => name.endsWith(".ts")).sort()) {
      const path = join(PROJECT_ROOT, folder, file);
      const source = ts.createSourceFile(
        path,
        readFileSync(path, "utf8"),
        ts.ScriptTarget.Latest,
        true,
      );
      for (const statement of source.statements) {
        if (ts.isVariableStatement(statement)) {
          for (const declaration of statement.declarationList.declarations) {
            schemas.set(declaration.name.getText(), declaration);
          }
        } else if (
          (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) &&
          ts.getCombinedModifierFlags(statement) & ts.ModifierFlags.Export
        ) {
          declarations.set(statement.name.text, statement);
        }
      }
    }
  }
  return { declarations, schemas };
}

/** Renders a page of Markdown with a table for each type, from its properties and their docstrings. Throws if a type is not exported. */
export function renderReference(page: string, types = exportedTypes()): string {
  const { title, types: names } = REFERENCE_PAGES[page];
  const sections = names.flatMap((name) => {
    const declaration = types.declarations.get(name);
    if (!declaration) {
      throw new Error(
        `docs/reference/${page}.md lists type ${name}, which no file exports: correct REFERENCE_PAGES`,
      );
    }
    return renderType(declaration, types, names);
  });
  return [
    `# ${title}`,
    "",
    "Generated from the types by `npm run reference`.",
    "",
    ...sections,
  ].join("\n");
}

function renderType(declaration: Declaration, types: Types, linked: readonly string[]): string[] {
  const heading = [`## ${declaration.name.text}`, "", ...paragraph(textOf(declaration))];
  if (ts.isInterfaceDeclaration(declaration)) {
    return [...heading, ...renderTable(membersOf(declaration), linked)];
  }
  const schema = types.schemas.get(schemaOf(declaration) ?? "")?.initializer;
  const call = schema && callOf(schema);
  if (!call) {
    return heading;
  }
  if (call.name !== "v.variant") {
    return [...heading, ...renderTable(readSchema(schema, types).members ?? [], linked)];
  }
  const variants = (call.args[1] as ts.ArrayLiteralExpression).elements;
  return [
    ...heading,
    ...variants.flatMap((variant) => {
      const [kind, ...rest] = readSchema(variant, types).members ?? [];
      return [
        `### ${kind.name}: ${kind.type}`,
        "",
        ...paragraph(kind.text),
        ...(rest.length > 0 ? renderTable(rest, linked) : []),
      ];
    }),
  ];
}

/** A property of an interface or a schema. */
interface Member {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly text: string;
  /** The text of `@default`. */
  readonly standard?: string;
  /** The properties of an anonymous object type. */
  readonly members?: readonly Member[];
}

function membersOf({ members }: ts.InterfaceDeclaration | ts.TypeLiteralNode): Member[] {
  return members.flatMap((member): Member[] => {
    if (ts.isIndexSignatureDeclaration(member)) {
      const { name, type } = { name: "", type: member.type.getText() };
      return [{ name, type, optional: true, text: textOf(member), standard: "" }];
    }
    if (!ts.isPropertySignature(member) || !member.type) {
      return [];
    }
    return [
      {
        name: nameOf(member),
        type: member.type
          .getText()
          .replace(/\breadonly /g, "")
          .replace(/\s+/g, " "),
        optional: member.questionToken !== undefined,
        text: textOf(member),
        standard: defaultOf(member),
        members: ts.isTypeLiteralNode(member.type) ? membersOf(member.type) : undefined,
      },
    ];
  });
}

/** What a schema declares about a value. */
type Read = Pick<Member, "type" | "optional" | "members">;

/** Reads an expression such as `v.optional(v.array(v.string()))`. */
function readSchema(schema: ts.Expression, types: Types): Read {
  const plain = (type: string): Read => ({ type, optional: false });
  const call = callOf(schema);
  if (!call) {
    const name = schema.getText();
    const alias = [...types.declarations.values()].find((type) => schemaOf(type) === name);
    const declared = types.schemas.get(name) as ts.VariableDeclaration;
    // A schema that is declared for a type, or that a type is derived from.
    const [, given] = /^v\.GenericSchema<(\w+)>$/.exec(declared.type?.getText() ?? "") ?? [];
    return plain(
      given ?? alias?.name.text ?? readSchema(declared.initializer as never, types).type,
    );
  }
  const { name, args } = call;
  const inner = (i: number) => readSchema(args[i], types);
  switch (name) {
    case "object":
    case "objectWith":
    case "strict": {
      const { properties } = args[0] as ts.ObjectLiteralExpression;
      const members = properties.filter(ts.isPropertyAssignment).map((property) => ({
        name: nameOf(property),
        text: textOf(property),
        standard: defaultOf(property),
        ...readSchema(property.initializer, types),
      }));
      const text = members.map((member) => `${member.name}: ${member.type}`).join("; ");
      return { ...plain(`{ ${text} }`), members };
    }
    case "v.optional":
      return { ...inner(0), optional: true };
    case "v.array":
      return plain(`${inner(0).type}[]`);
    case "record":
      return plain(`Record<string, ${inner(0).type}>`);
    case "v.picklist":
      return plain((args[0] as ts.ArrayLiteralExpression).elements.map(textIn).join(" | "));
    case "v.literal":
      return plain(args[0].getText());
    case "anyObject":
      return plain(call.typeArgument as string);
    case "text":
      return plain("string");
    case "v.pipe":
      return inner(0);
    default:
      return plain(name.replace("v.", ""));
  }
}

const textIn = (node: ts.Node) => node.getText();

function callOf(schema: ts.Expression) {
  return ts.isCallExpression(schema)
    ? {
        name: schema.expression.getText(),
        args: schema.arguments,
        typeArgument: schema.typeArguments?.[0].getText(),
      }
    : undefined;
}

/** Returns the name of the schema that a type is derived from. */
function schemaOf(declaration: Declaration): string | undefined {
  return ts.isTypeAliasDeclaration(declaration)
    ? /^Declared<typeof (\w+)>/.exec(declaration.type.getText())?.[1]
    : undefined;
}

function renderTable(members: readonly Member[], linked: readonly string[]): string[] {
  return [
    "| property | type | default | meaning |",
    "| --- | --- | --- | --- |",
    ...members.flatMap((member) => rowsOf(member, "", linked)),
    "",
  ];
}

/** Renders a property as a row, or an object as a row for each of its properties. */
function rowsOf(member: Member, prefix: string, linked: readonly string[]): string[] {
  const { type, optional, text, members = [] } = member;
  const standard = member.standard ?? (optional ? "none" : "required");
  if (member.name === "") {
    return [row("any other key", type, standard, text)];
  }
  const name = `${prefix}${member.name}`;
  if (members.some((inner) => inner.text)) {
    return [
      ...(text || optional ? [row(code(name), "object", standard, text)] : []),
      ...members.flatMap((inner) => rowsOf(inner, `${name}.`, linked)),
    ];
  }
  const anchor = linked.find((other) => new RegExp(`\\b${other}\\b`).test(type));
  const shown = anchor ? `[${code(type)}](#${anchor.toLowerCase()})` : code(type);
  return [row(code(name), shown, standard, text)];
}

function nameOf(member: ts.PropertySignature | ts.PropertyAssignment): string {
  return member.name.getText().replaceAll('"', "");
}

/** Returns the default of a property from its docstring, if any. */
function defaultOf(member: ts.Node): string | undefined {
  const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === "default");
  // A leading "- " marks prose instead of a value.
  return ts.getTextOfJSDocComment(tag?.comment)?.replace(/^- /, "");
}

function textOf(node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return ts.getTextOfJSDocComment(doc?.comment) ?? "";
}

function paragraph(text: string): string[] {
  return text ? [text.replace(/\s+/g, " "), ""] : [];
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** Renders a row of a Markdown table. Escapes bars and line breaks, which would end a cell. */
export function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replace(/\s+/g, " ").replaceAll("|", "\\|")).join(" | ")} |`;
}
