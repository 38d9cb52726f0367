import { removalCommand } from "../../constructs/init-sidecar/left-over";
import { counted, table } from "../terminal/terminal";

/**
 * Whose a resource of a cluster is:
 *
 * - `declared`: the declaration has it, or a declared application creates it itself.
 * - `left-over`: Groundwork created or applied it, and it is no longer declared.
 * - `unmanaged`: somebody else's.
 * - `system`: Kafka's or OpenSearch's own.
 */
export type State = "declared" | "left-over" | "unmanaged" | "system";

/** The kinds that `npm run inventory -- --remove` removes, in an order in which nothing that stays uses what is removed. */
export const REMOVABLE = [
  ...["data-stream", "index-template", "component-template", "ingest-pipeline"],
  ...["retention-policy", "topic"],
] as const;

export type Kind =
  | (typeof REMOVABLE)[number]
  | "legacy-template"
  | "role"
  | "role-mapping"
  | "user";

/** A resource of a cluster or its declaration. */
export interface Item {
  readonly cluster: "Kafka" | "OpenSearch";
  readonly kind: Kind;
  readonly name: string;
  readonly state: State;
  /** Whether the cluster has it. */
  readonly exists: boolean;
  readonly details: string;
  /** The command that removes it. Only of what is left over. */
  readonly removal?: string;
  /** The application that creates a topic itself, which the catalog does not have. */
  readonly createdBy?: string;
  /** The ACLs of a user of Kafka, such as `Read on topic orders`. */
  readonly acls?: readonly string[];
}

/** The command that removes users, roles and ACLs that are left over. */
export const UP = "npm run up";

/** Returns the name by which the command line knows an item: `topic/orders`. */
export const idOf = ({ kind, name }: Pick<Item, "kind" | "name">) => `${kind}/${name}`;

/** Returns the command that removes an item. */
export const removalOf = ({ kind, name }: Pick<Item, "kind" | "name">): string =>
  isRemovable(kind) ? removalCommand(kind, name) : UP;

export const isRemovable = (kind: string): boolean =>
  REMOVABLE.some((removable) => removable === kind);

/** Names an item in a sentence: `index template logs`. */
export const calledItem = ({ kind, name }: Pick<Item, "kind" | "name">) =>
  `${kind.replace("-", " ")} ${name}`;

export const isLeftOver = ({ state }: Item) => state === "left-over";

/** Whether an item stays after `npm run up`, although it is not declared any more. */
export const staysAfterUp = (item: Item) => isLeftOver(item) && item.removal !== UP;

/** Renders what is left over, with the command that removes each. */
export function renderLeftOver(items: readonly Item[]): string {
  return [
    `left over: ${counted(items.length, "resource")} that Groundwork applied and that ${items.length === 1 ? "is" : "are"} no longer declared`,
    "",
    table([
      ["resource", "details", "remove it with"],
      ...items.map((item) => [calledItem(item), item.details, item.removal ?? ""]),
    ]),
  ].join("\n");
}

/** Describes an item that is left over in a line. */
export function describeLeftOver(item: Item): string {
  const details = item.details === "" ? "" : ` (${item.details})`;
  return `${calledItem(item)}${details} is left over: remove it with ${item.removal}`;
}
