import { isSecured } from "../../environments";
import type { Catalog } from "../../stacks/platform";
import type { KafkaReport } from "../platform/kafka-inventory";
import type { Platform } from "../platform/platform";
import { unlessSilent } from "../platform/silent";
import { type Item, staysAfterUp } from "./item";
import { kafkaItems } from "./kafka";
import { templateItems } from "./open-search";
import { securityItems } from "./open-search-users";

/** What the clusters of an environment have, and what is declared. */
export interface Inventory {
  readonly environment: string;
  readonly items: readonly Item[];
  /** What is not known, since a service did not answer. */
  readonly failures: readonly string[];
}

/** Reads everything that both clusters have. Changes nothing. */
export async function takeInventory(platform: Platform, catalog: Catalog): Promise<Inventory> {
  const { environment, openSearch } = platform;
  const { applications } = catalog;
  const failures: string[] = [];
  const [ofKafka, templates, users] = await Promise.all([
    unlessSilent(reportKafka(platform, catalog).then(kafkaItems), [], failures),
    unlessSilent(listTemplates(platform, catalog), [], failures),
    isSecured(environment)
      ? unlessSilent(
          openSearch.resources
            .readSecurity()
            .then((security) =>
              securityItems(security, applications, environment.backup !== undefined),
            ),
          [],
          failures,
        )
      : [],
  ]);
  return {
    environment: environment.name,
    items: [...ofKafka, ...templates, ...users],
    failures,
  };
}

/** Returns what stays after a deploy although it is no longer declared. Throws if a service does not answer. */
export async function findLeftOver(platform: Platform, catalog: Catalog): Promise<Item[]> {
  const items = await Promise.all([
    reportKafka(platform, catalog).then(kafkaItems),
    listTemplates(platform, catalog),
  ]);
  return items.flat().filter(staysAfterUp);
}

/** Compares Kafka with the catalog. */
export function reportKafka(
  { environment, kafka }: Pick<Platform, "environment" | "kafka">,
  { topics, applications }: Catalog,
): Promise<KafkaReport> {
  return kafka.inventory.report({ topics, applications, brokers: environment.kafka.brokers });
}

/** Lists the templates, pipelines, retention policies and data streams of OpenSearch. */
async function listTemplates(
  { environment, openSearch }: Pick<Platform, "environment" | "openSearch">,
  catalog: Catalog,
): Promise<Item[]> {
  return templateItems(await openSearch.resources.list(), environment, catalog);
}
