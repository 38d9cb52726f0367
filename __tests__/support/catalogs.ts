// The app of main.ts with another catalog, for tests that deploy something else than the shipped one.
import { catalog } from "../../catalog";
import { lab } from "../../lab/environments";
import { type Catalog, synthesizePlatform } from "../../stacks/platform";

const [infraEvents, ...others] = catalog.topics;

/** Returns the shipped index templates. In logs_template, a field has another mapping. */
const templatesWith = (field: string, type: string) =>
  catalog.indexTemplates.map((template) =>
    template.name !== "logs_template"
      ? template
      : Object.assign(Object.create(Object.getPrototypeOf(template)), template, {
          body: {
            ...template.body,
            template: {
              ...template.body.template,
              mappings: { properties: { message: { type: "text" }, [field]: { type } } },
            },
          },
        }),
  );

const catalogs: Record<string, Catalog> = {
  "rejected-topic": {
    ...catalog,
    topics: [
      ...catalog.topics,
      // The topic's configs do not say whether the brokers have a remote storage.
      { name: "wrong", partitions: 1, configs: { "remote.storage.enable": true } },
    ],
  },
  "more-partitions": {
    ...catalog,
    topics: [
      {
        ...infraEvents,
        partitions: 6,
        configs: { "retention.ms": 700_000_000, "segment.ms": 600_000 },
      },
      ...others,
    ],
    indexTemplates: templatesWith("region", "keyword"),
  },
  "fewer-replicas": {
    ...catalog,
    topics: [
      {
        ...infraEvents,
        partitions: 6,
        replicationFactor: 2,
        configs: { "retention.ms": 800_000_000 },
      },
      ...others,
    ],
    indexTemplates: templatesWith("region", "text"),
  },
  reconcile: {
    ...catalog,
    topics: [
      { ...infraEvents, partitions: 6, onDrift: "reconcile" },
      ...others.map((topic) => ({ ...topic, onDrift: "reconcile" as const })),
    ],
    indexTemplates: catalog.indexTemplates.map((template) =>
      Object.assign(Object.create(Object.getPrototypeOf(template)), template, {
        onDrift: "reconcile",
      }),
    ),
  },
};

synthesizePlatform(lab, catalogs[process.env.GROUNDWORK_E2E_CATALOG ?? ""]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
