import type { Application } from "../../constructs";
import { BACKUP_PRINCIPAL } from "../../constructs/opensearch/backup";
import { MARK } from "../../constructs/opensearch/declared-applications";
import { MONITOR } from "../../constructs/security/principals";
import type { LiveSecurity } from "../platform/open-search-resources";
import type { Json } from "../synthesis/tree";
import { listed } from "../terminal/terminal";
import { type Item, type State, UP } from "./item";

/** The prefix of the role of an application, as os-security.sh names it. */
const ROLE_PREFIX = "application-";

const KINDS = { user: "user", role: "role", mapping: "role-mapping" } as const;

/** Returns the users and roles of OpenSearch. An application is one item, with its user, role and role mapping. */
export function securityItems(
  live: LiveSecurity,
  applications: readonly Application[],
  hasBackups: boolean,
): Item[] {
  const declared = [
    ...applications.filter(({ indices }) => indices).map(({ name }) => name),
    MONITOR,
    ...(hasBackups ? [BACKUP_PRINCIPAL] : []),
  ];
  const names = new Set([...declared, ...markedIn(live)]);
  return [
    ...[...names].map((name) => applicationItem(name, live, declared.includes(name))),
    ...(["user", "role", "mapping"] as const).flatMap((kind) =>
      Object.entries<Json>(live[kind])
        .filter(([, { description }]) => description !== MARK)
        .map(([name, object]) => otherItem(kind, name, object)),
    ),
  ];
}

/** Returns the applications that os-security created, by their user, role or mapping. */
export function markedIn({ user, role, mapping }: LiveSecurity): string[] {
  const marked = (objects: Json) =>
    Object.entries<Json>(objects)
      .filter(([, { description }]) => description === MARK)
      .map(([name]) => name);
  const ofRoles = [...marked(role), ...marked(mapping)].map((name) =>
    name.replace(ROLE_PREFIX, ""),
  );
  return [...new Set([...marked(user), ...ofRoles])];
}

function applicationItem(
  name: string,
  { user, role, mapping }: LiveSecurity,
  isDeclared: boolean,
): Item {
  const isMarked = (object?: Json) => object?.description === MARK;
  const parts = [
    ...(isMarked(user[name]) ? ["user"] : []),
    ...(isMarked(role[`${ROLE_PREFIX}${name}`]) ? ["role"] : []),
    ...(isMarked(mapping[`${ROLE_PREFIX}${name}`]) ? ["role mapping"] : []),
  ];
  return {
    ...{ cluster: "OpenSearch", kind: "user", name, exists: parts.length > 0 },
    state: isDeclared ? "declared" : "left-over",
    details: listed(parts) || "does not exist: npm run up creates it",
    ...(!isDeclared && { removal: UP }),
  };
}

function otherItem(kind: keyof typeof KINDS, name: string, object: Json): Item {
  const isOwn = name.startsWith("groundwork_");
  const isSystem = object.reserved || object.hidden || object.static;
  const state: State = isOwn ? "declared" : isSystem ? "system" : "unmanaged";
  return {
    ...{ cluster: "OpenSearch", kind: KINDS[kind], name, state, exists: true },
    details: isOwn ? "of the platform itself" : "",
  };
}
