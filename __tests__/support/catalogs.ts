// The app of main.ts with a catalog of its own choice, for deploys of something that is not the shipped catalog.
import { catalog } from "../../catalog";
import { lab } from "../../lab/environments";
import { type Catalog, synthesizePlatform } from "../../stacks/platform";

const [infraEvents, ...others] = catalog.topics;

const catalogs: Record<string, Catalog> = {
  "rejected-topic": {
    ...catalog,
    topics: [
      ...catalog.topics,
      // Whether the brokers have such a storage is nothing that a topic's configs say.
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
