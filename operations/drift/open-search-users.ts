import { basename } from "node:path";
import type { Application } from "../../constructs";
import {
  MARK,
  renderApplication,
  renderMonitor,
} from "../../constructs/opensearch/declared-applications";
import { renderOwnRoles } from "../../constructs/opensearch/opensearch-security";
import type { OpenSearchResources } from "../platform/open-search-resources";
import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import { type Difference, differingFields } from "./difference";

const API = "/_plugins/_security/api";

/** The path of each kind in the API of the security plugin. */
const PATHS = { user: "internalusers", role: "roles", mapping: "rolesmapping" } as const;

/** The objects of each kind, by name. */
type Live = Readonly<Record<keyof typeof PATHS, Json>>;

/** The prefix of the role of an application, as os-security.sh names it. */
const ROLE_PREFIX = "application-";

const isOwn = (name: string) => name.startsWith("groundwork_");

const nameIn = (kind: string, name: string) =>
  kind === "user" || isOwn(name) ? name : `${ROLE_PREFIX}${name}`;

/**
 * Compares users, roles and role mappings with OpenSearch: those of applications and the platform's own. Passwords are compared by a login.
 * Throws if OpenSearch does not answer.
 */
export async function findOpenSearchUserDrift(
  openSearch: OpenSearchResources,
  applications: readonly Application[],
  hasRetention: boolean,
): Promise<Difference[]> {
  const live: Live = {
    user: await read(openSearch, PATHS.user),
    role: await read(openSearch, PATHS.role),
    mapping: await read(openSearch, PATHS.mapping),
  };
  const own = applications.filter(({ indices }) => indices);
  const files = [
    ...own.flatMap(renderApplication),
    ...renderMonitor(),
    ...renderOwnRoles("opensearch", hasRetention),
  ];
  const declared = files.map(({ path, content = "" }) => {
    const [, name, kind] = /^(.*)\.(user|role|mapping)\.json$/.exec(basename(path)) ?? [];
    return { name, kind: kind as keyof typeof PATHS, body: JSON.parse(content) };
  });
  const names = new Set(declared.map(({ name }) => name));
  return [
    ...declared.flatMap(({ name, kind, body }) => compare(name, kind, body, live)),
    ...undeclaredIn(live)
      .filter((name) => !names.has(name))
      .map((name) => ({
        resource: `application/${name}`,
        actual:
          "is not declared any more: npm run up removes its user and permissions from OpenSearch",
      })),
  ];
}

async function read(openSearch: OpenSearchResources, path: string): Promise<Json> {
  const objects = await openSearch.read(`${API}/${path}`);
  if (objects === undefined) {
    throw new CommandError(`OpenSearch has no security plugin: ${API}/${path} does not exist`);
  }
  return objects;
}

function compare(name: string, kind: keyof typeof PATHS, declared: Json, live: Live): Difference[] {
  const resource = isOwn(name) ? `role ${name}` : `application/${name}`;
  const found = live[kind][nameIn(kind, name)];
  return found === undefined
    ? [{ resource, field: `OpenSearch ${kind}`, declared: "present", actual: "absent" }]
    : differingFields(resource, { [kind]: shown(declared) }, { [kind]: shown(found) });
}

/** Returns the applications that os-security created, by their user, role or mapping. */
function undeclaredIn({ user, role, mapping }: Live): string[] {
  const marked = (objects: Json) =>
    Object.entries<Json>(objects)
      .filter(([, { description }]) => description === MARK)
      .map(([name]) => name);
  const ofRoles = [...marked(role), ...marked(mapping)].map((name) =>
    name.replace(ROLE_PREFIX, ""),
  );
  return [...new Set([...marked(user), ...ofRoles])];
}

/** Removes what the server adds to an object. */
function shown({ reserved, hidden, static: isStatic, hash: _, ...rest }: Json): Json {
  const { fingerprint: __, ...attributes } = rest.attributes ?? {};
  return {
    ...rest,
    ...(rest.attributes && { attributes }),
    ...(reserved && { reserved }),
    ...(hidden && { hidden }),
    ...(isStatic && { static: isStatic }),
  };
}
