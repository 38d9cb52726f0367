import type { Application } from "../../constructs";
import type { Catalog } from "../../stacks/platform";
import type { LiveResource } from "../platform/open-search-resources";
import type { Platform } from "../platform/platform";
import type { Json } from "../synthesis/tree";
import { confirm } from "../terminal/confirm";
import { counted, firstOf, listed, refuse } from "../terminal/terminal";
import { reportKafka } from "./inventory";
import { calledItem, type Item, idOf, isRemovable, REMOVABLE, UP } from "./item";
import { kafkaItems } from "./kafka";
import { templateItems } from "./open-search";
import { usersOf } from "./uses";

/** How many users of a resource are named. */
const MOST_USERS = 5;

/** What is lost with each kind. */
const LOSSES: Partial<Record<Item["kind"], string>> = {
  topic: ", with its records",
  "data-stream": ", with its documents",
};

/**
 * Removes resources that are left over, given as `topic/orders`, after a confirmation. Throws before it changes anything if one of them
 * is not left over or something uses it, or if the user says no or cannot be asked.
 */
export async function removeLeftOver(
  platform: Platform,
  catalog: Catalog,
  ids: readonly string[],
  { yes, stillHeld }: { readonly yes: boolean; readonly stillHeld: () => Promise<void> },
): Promise<void> {
  refuse(ids.flatMap(refusalOfId));
  const { environment, kafka, openSearch } = platform;
  const areTopics = ids.map((id) => id.startsWith("topic/"));
  const topics = areTopics.includes(true) ? kafkaItems(await reportKafka(platform, catalog)) : [];
  const live = areTopics.includes(false) ? await openSearch.resources.list() : [];
  const items = [...topics, ...templateItems(live, environment, catalog)];
  refuse(ids.flatMap((id) => refusalOf(id, items)));
  // In an order in which nothing that stays uses what is removed.
  const removed = REMOVABLE.flatMap((kind) =>
    items.filter((item) => item.kind === kind && ids.includes(idOf(item))),
  );
  refuse(await describeUses(platform, removed, live));
  const listing = removed.map((item) => `- ${described(item, catalog.applications)}`).join("\n");
  if (!yes) {
    await confirm(
      environment.name,
      `This removes ${counted(removed.length, "resource")} of environment "${environment.name}":\n${listing}\nThis cannot be undone`,
      `no changes made: --remove needs a confirmation, but standard input is not a terminal: add --yes. It would remove:\n${listing}`,
    );
  }
  await stillHeld();
  for (const item of removed) {
    if (item.kind === "topic") {
      await kafka.inventory.remove([item.name]);
    } else {
      await openSearch.resources.remove(item as Item & LiveResource);
    }
    console.log(`removed ${calledItem(item)}`);
  }
}

function refusalOfId(id: string): string[] {
  const [, kind, name] = /^([^/]+)\/([^/]+)$/.exec(id) ?? [];
  if (name !== undefined && isRemovable(kind)) {
    return [];
  }
  return [
    name !== undefined && ["user", "role", "role-mapping"].includes(kind)
      ? `${id}: ${UP} removes users and roles of applications that are no longer declared`
      : `"${id}" names no resource that can be removed: use ${listed(REMOVABLE.map((each) => `${each}/<name>`)).replace(" and ", " or ")}`,
  ];
}

function refusalOf(id: string, items: readonly Item[]): string[] {
  const item = items.find((one) => idOf(one) === id && one.exists);
  if (item === undefined) {
    return [`${id} does not exist: npm run inventory lists what there is`];
  }
  const called = calledItem(item);
  switch (item.state) {
    case "declared":
      if (item.createdBy !== undefined) {
        return [
          `${called} is in use by application ${item.createdBy}, which creates it: remove streams or connect of that from the catalog and run ${UP} first`,
        ];
      }
      return [
        item.kind === "data-stream"
          ? `${called} belongs to a declared template (${item.details}): remove that from the catalog and run ${UP} first`
          : `${called} is declared: remove it from the catalog and run ${UP} first`,
      ];
    case "unmanaged":
      return [`${called} is not Groundwork's: remove it with the tool that created it`];
    case "system":
      return [`${called} is ${item.cluster}'s own`];
    case "left-over":
      return [];
  }
}

async function describeUses(
  { openSearch }: Platform,
  removed: readonly Item[],
  live: readonly LiveResource[],
): Promise<string[]> {
  const stays = live.filter((one) => !removed.some((item) => idOf(item) === idOf(one)));
  const indices = removed.some(({ kind }) => kind === "ingest-pipeline")
    ? await openSearch.resources.indicesOfPipelines()
    : new Map();
  const policies = removed.filter(({ kind }) => kind === "retention-policy");
  const managed = policies.length > 0 ? await openSearch.resources.indicesOfPolicies() : new Map();
  const gone = live
    .filter((one) => one.kind === "data-stream" && !stays.includes(one))
    .flatMap(({ body }) => body.indices.map(({ index_name }: Json) => `index ${index_name}`));
  const followed = policies.flatMap((item) => {
    const indices: string[] = (managed.get(item.name) ?? []).map((one: string) => `index ${one}`);
    const stay = indices.filter((index) => !gone.includes(index));
    return stay.length === 0
      ? []
      : [
          `${calledItem(item)} still applies to ${firstOf(stay, MOST_USERS).join(", ")}: remove it from them first, see docs/how-to/retention.md#remove-a-policy`,
        ];
  });
  const used = removed
    .filter(({ kind }) => kind !== "topic")
    .flatMap((item) => {
      const users = usersOf(item as Item & LiveResource, stays, indices).filter(
        (user) => !gone.includes(user),
      );
      return users.length === 0
        ? []
        : [
            `${calledItem(item)} is used by ${firstOf(users, MOST_USERS).join(", ")}: remove that first, or in the same command if it is left over too`,
          ];
    });
  return [...used, ...followed];
}

/** Describes what is lost with a resource, and which applications may still use it. */
function described(item: Item, applications: readonly Application[]): string {
  const users =
    item.kind === "topic"
      ? applications
          .filter(({ topics = {} }) => Object.keys(topics).some((each) => covers(each, item.name)))
          .map(({ name }) => name)
      : [];
  const warning = users.length > 0 ? `; ${listed(users)} may use it` : "";
  return `${calledItem(item)}${item.details === "" ? "" : ` (${item.details})`}${LOSSES[item.kind] ?? ""}${warning}`;
}

/** Whether a name or prefix of topics covers a topic. */
const covers = (pattern: string, topic: string) =>
  pattern.endsWith("*") ? topic.startsWith(pattern.slice(0, -1)) : pattern === topic;
