import { join } from "node:path";
import { IndexTemplate } from "../constructs";
import type { Catalog } from "../stacks/platform";
import { topics } from "./topics";

/** Everything in this folder. */
export const catalog: Catalog = {
  topics,
  indexTemplates: IndexTemplate.fromDirectory(join(__dirname, "index-templates")),
};
