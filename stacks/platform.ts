import { Annotations } from "cdktf";
import type { Construct } from "constructs";
import type { IndexTemplate, Topic } from "../constructs";
import type { Environment } from "../environments";
import { DataStack } from "./data-stack";
import { MessagingStack } from "./messaging-stack";
import { NetworkStack } from "./network-stack";
import { StorageStack, type StorageStackProps } from "./storage-stack";

/** What the platform provisions inside its services. */
export interface Catalog {
  readonly topics: readonly Topic[];
  readonly indexTemplates: readonly IndexTemplate[];
}

/** Declares every stack of the platform for one environment. */
export function declarePlatform(
  app: Construct,
  environment: Environment,
  { topics, indexTemplates }: Catalog,
  storageProps?: StorageStackProps,
): void {
  const network = new NetworkStack(app, "network", environment);
  const storage = new StorageStack(app, "storage", environment, storageProps);
  new DataStack(app, "data", environment, { network, storage, indexTemplates });
  new MessagingStack(app, "messaging", environment, { network, storage, topics });
  for (const warning of environment.warnings ?? []) {
    Annotations.of(network).addWarning(warning);
  }
}
