import { basename } from "node:path";
import type { Application } from "../../constructs";
import {
  renderApplication,
  renderBackup,
  renderMonitor,
} from "../../constructs/opensearch/declared-applications";
import { renderOwnRoles } from "../../constructs/opensearch/opensearch-security";
import { markedIn } from "../inventory/open-search-users";
import type { LiveSecurity, OpenSearchResources } from "../platform/open-search-resources";
import type { Json } from "../synthesis/tree";
import { type Difference, differingFields } from "./difference";

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
  { hasRetention, hasBackups }: { readonly hasRetention: boolean; readonly hasBackups: boolean },
): Promise<Difference[]> {
  const live = await openSearch.readSecurity();
  const own = applications.filter(({ indices }) => indices);
  const files = [
    ...own.flatMap(renderApplication),
    ...renderMonitor(),
    ...renderOwnRoles("opensearch", hasRetention),
    ...(hasBackups ? renderBackup() : []),
  ];
  const declared = files.map(({ path, content = "" }) => {
    const [, name, kind] = /^(.*)\.(user|role|mapping)\.json$/.exec(basename(path)) ?? [];
    return { name, kind: kind as keyof LiveSecurity, body: JSON.parse(content) };
  });
  const names = new Set(declared.map(({ name }) => name));
  const users = new Set(declared.filter(({ kind }) => kind === "user").map(({ name }) => name));
  return [
    ...declared.flatMap(({ name, kind, body }) => compare(name, kind, body, live)),
    // Its password would have the permissions of one that authenticates with a certificate.
    ...[...names]
      .filter((name) => !isOwn(name) && !users.has(name) && live.user[name] !== undefined)
      .map((name) => ({
        resource: `application/${name}`,
        field: "OpenSearch user",
        declared: "absent",
        actual: "present",
      })),
    ...markedIn(live)
      .filter((name) => !names.has(name))
      .map((name) => ({
        resource: `application/${name}`,
        actual:
          "is not declared any more: npm run up removes its user and permissions from OpenSearch",
      })),
    ...(hasRetention ? [] : await findUnusedRole(openSearch, live)),
  ];
}

const RETENTION_ROLE = "groundwork_retention";

/** Reports the role of retention policies, with which OpenSearch runs those that it still has, if it has none. */
async function findUnusedRole(
  openSearch: OpenSearchResources,
  { role }: LiveSecurity,
): Promise<Difference[]> {
  return RETENTION_ROLE in role && !(await openSearch.hasRetention())
    ? [
        {
          resource: `role ${RETENTION_ROLE}`,
          actual: "is not needed any more, without a retention policy: npm run up removes it",
        },
      ]
    : [];
}

function compare(
  name: string,
  kind: keyof LiveSecurity,
  declared: Json,
  live: LiveSecurity,
): Difference[] {
  const resource = isOwn(name) ? `role ${name}` : `application/${name}`;
  const found = live[kind][nameIn(kind, name)];
  return found === undefined
    ? [{ resource, field: `OpenSearch ${kind}`, declared: "present", actual: "absent" }]
    : differingFields(resource, { [kind]: shown(declared) }, { [kind]: shown(found) });
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
