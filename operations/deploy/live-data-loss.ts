import { resolveTopic } from "../../constructs";
import { dataLossOf } from "../../constructs/kafka/data-loss";
import {
  type DeclaredTopic,
  parseTopics,
  renderTopics,
} from "../../constructs/kafka/declared-topics";
import { deletedSooner } from "../../constructs/opensearch/deleted-sooner";
import { type ClusterName, retentionIn } from "../../environments";
import { isAsApplied } from "../drift/retention";
import { isMarked } from "../inventory/open-search";
import type { ReportedTopic } from "../platform/kafka-inventory";
import type { Platform } from "../platform/platform";
import { declaredCatalog } from "../synthesis/environment";
import { servingOf } from "../versions/serving";

type Losses = (platform: Platform, names: readonly string[]) => Promise<string[]>;

/**
 * Describes the stored data that each cluster deletes if these topics or retention policies of the catalog are applied to those that it has.
 * Throws if it does not answer.
 */
export const LIVE_DATA_LOSS: Readonly<Record<ClusterName, Losses>> = {
  async kafka({ environment, kafka }, names) {
    const topics = declaredCatalog().topics.filter(({ name }) => names.includes(name));
    const { brokers } = environment.kafka;
    const report = await kafka.inventory.report({ topics, brokers, applications: [] });
    const declared = parseTopics(renderTopics(topics.map((topic) => resolveTopic(topic, brokers))));
    return declared.flatMap((topic) =>
      deletedRecords(
        topic,
        report.topics.find((reported) => reported.topic === topic.name),
      ),
    );
  },
  async opensearch(platform, names) {
    const declared = retentionIn(platform.environment, declaredCatalog().retentionPolicies);
    const [node] = await servingOf(platform, "opensearch");
    const live = (await platform.openSearch.resourcesFrom(node).list())
      .filter(({ kind }) => kind === "retention-policy")
      // os-init leaves others as they are.
      .filter(isMarked);
    return declared
      .filter(({ name }) => names.includes(name))
      .flatMap(({ name, body, onDrift }) => {
        const found = live.find((policy) => policy.name === name);
        // os-init reports an edit and changes nothing.
        return found && (onDrift === "reconcile" || isAsApplied(found.body))
          ? deletedSooner(name, found.body, body)
          : [];
      });
  },
};

/** Describes the records that a topic of the cluster loses if it gets its declaration. */
function deletedRecords(declared: DeclaredTopic, live?: ReportedTopic): string[] {
  // kafka-init changes a topic that it never applied only with this policy.
  if (!live?.exists || !(live.isApplied || declared.onDrift === "reconcile")) {
    return [];
  }
  const { differences = [], undeclared = [] } = live;
  if (declared.onDrift !== "reconcile" && differences.some(({ drifted }) => drifted)) {
    // kafka-init reports the edit and changes nothing.
    return [];
  }
  const kept = undeclared.map(({ field, actual }) => [field, actual]);
  const changed = differences.map(({ field, actual }) => [field, actual]);
  const is = { ...declared.configs, ...Object.fromEntries(kept) };
  return dataLossOf(declared.name, { ...is, ...Object.fromEntries(changed) }, is);
}
