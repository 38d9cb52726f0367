import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { PROJECT_ROOT } from "../synthesis/project";

/** Pages of docs/reference/ and the exported types on each, in their order. */
export const REFERENCE_PAGES: Readonly<
  Record<string, { readonly title: string; readonly types: readonly string[] }>
> = {
  environment: {
    title: "What an environment sets",
    types: ["Environment", "NetworkSettings", "StateBackend", "Smtp"],
  },
  catalog: {
    title: "What the catalog declares",
    types: [
      ...[
        "Topic",
        "TopicConfigs",
        "Application",
        "IndexTemplateProps",
        "Notifications",
        "ContactPointProps",
        "Secret",
      ],
      ...["MuteTimingProps", "NotificationPolicyProps", "NotificationRoute"],
    ],
  },
  constructs: {
    title: "What the constructs take",
    types: [
      ...["ServiceContainerProps", "HealthCheck", "LoopbackPort", "Ulimit", "ServiceSettings"],
      ...["NetworkProps", "DataVolumeProps", "OpenSearchClusterProps", "OpenSearchInitProps"],
      ...["OpenSearchSecurityProps", "KafkaClusterProps", "KafkaInitProps"],
      ...["InitSidecarProps", "RetryProps", "Security"],
      ...["EngineProxyProps", "ExitRelayProps", "PrometheusProps", "Declaration", "LokiProps"],
      ...["AlloyProps", "GrafanaProps", "DataSource", "RuleGroupProps", "AlertGroup", "AlertRule"],
    ],
  },
};

type Declaration = ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

/** The exported interfaces and type aliases of the project's own code. */
export function exportedTypes(): Map<string, Declaration> {
  const found = new Map<string, Declaration>();
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
        const declares =
          ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
        if (declares && ts.getCombinedModifierFlags(statement) & ts.ModifierFlags.Export) {
          found.set(statement.name.text, statement);
        }
      }
    }
  }
  return found;
}

/** A page of Markdown: a table for each type, made of its properties and what is written at them. */
export function renderReference(page: string, types = exportedTypes()): string {
  const { title, types: names } = REFERENCE_PAGES[page];
  const sections = names.flatMap((name) => {
    const declaration = types.get(name);
    if (!declaration) {
      throw new Error(`docs/reference/${page}.md is to describe ${name}, which nothing exports`);
    }
    return renderType(declaration, names);
  });
  return [`# ${title}`, "", "Made of the types by `npm run reference`.", "", ...sections].join(
    "\n",
  );
}

function renderType(declaration: Declaration, linked: readonly string[]): string[] {
  const heading = [`## ${declaration.name.text}`, "", ...paragraph(declaration)];
  if (ts.isInterfaceDeclaration(declaration)) {
    return [...heading, ...renderTable(declaration.members, linked)];
  }
  const { type } = declaration;
  const variants = ts.isUnionTypeNode(type) ? type.types.filter(ts.isTypeLiteralNode) : [];
  return [
    ...heading,
    ...variants.flatMap(({ members }) => {
      const [kind, ...rest] = members;
      return [
        `### ${kind.getText().replace(/^readonly |;$/g, "")}`,
        "",
        ...paragraph(kind),
        ...(rest.length > 0 ? renderTable(rest, linked) : []),
      ];
    }),
  ];
}

function renderTable(members: readonly ts.TypeElement[], linked: readonly string[]): string[] {
  return [
    "| property | type | default | meaning |",
    "| --- | --- | --- | --- |",
    ...members.flatMap((member) => rowsOf(member, "", linked)),
    "",
  ];
}

/** A property that is an object of its own is told property by property. */
function rowsOf(member: ts.TypeElement, prefix: string, linked: readonly string[]): string[] {
  if (ts.isIndexSignatureDeclaration(member)) {
    return [row("any other key", member.type.getText(), "", textOf(member))];
  }
  if (!ts.isPropertySignature(member) || !member.type) {
    return [];
  }
  const name = `${prefix}${member.name.getText().replaceAll('"', "")}`;
  if (ts.isTypeLiteralNode(member.type) && member.type.members.some((inner) => textOf(inner))) {
    const own = textOf(member);
    const optional = member.questionToken !== undefined;
    return [
      ...(own || optional ? [row(code(name), "object", defaultOf(member), own)] : []),
      ...member.type.members.flatMap((inner) => rowsOf(inner, `${name}.`, linked)),
    ];
  }
  const written = member.type
    .getText()
    .replace(/\breadonly /g, "")
    .replace(/\s+/g, " ");
  const anchor = linked.find((other) => new RegExp(`\\b${other}\\b`).test(written));
  const type = anchor ? `[${code(written)}](#${anchor.toLowerCase()})` : code(written);
  return [row(code(name), type, defaultOf(member), textOf(member))];
}

/** What a property is when it is left out. */
function defaultOf(member: ts.PropertySignature): string {
  const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === "default");
  const text = tag && ts.getTextOfJSDocComment(tag.comment);
  // "- none" is prose, everything else begins with a value.
  return text?.replace(/^- /, "") ?? (member.questionToken ? "none" : "required");
}

function textOf(node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return ts.getTextOfJSDocComment(doc?.comment) ?? "";
}

function paragraph(node: ts.Node): string[] {
  const text = textOf(node);
  return text ? [text.replace(/\s+/g, " "), ""] : [];
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A cell ends at a bar and a line, wherever they stand. */
function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replace(/\s+/g, " ").replaceAll("|", "\\|")).join(" | ")} |`;
}
