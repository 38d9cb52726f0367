// The app of main.ts with another catalog, for tests that deploy something else than the shipped one.
import { catalog } from "../../catalog";
import { lab } from "../../lab/environments";
import { type Catalog, synthesizePlatform } from "../../stacks/platform";

const [infraEvents, ...others] = catalog.topics;

const catalogs: Record<string, Catalog> = {
  "rejected-topic": {
    ...catalog,
    topics: [
      ...catalog.topics,
      // The topic's configs do not say whether the brokers have a remote storage.
      { name: "wrong", partitions: 1, configs: { "remote.storage.enable": true } },
    ],
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
