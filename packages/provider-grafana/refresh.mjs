// npm run bindings: reads the provider's schema from the Terraform registry, as `cdktf get` does, keeps the resources that schema.json
// lists, and regenerates the bindings. To use another resource, add its name to schema.json first.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CONSTRAINT } from "./constraint.mjs";

const require = createRequire(import.meta.url);
const { readSchema, TerraformProviderConstraint } = {
  ...require("@cdktf/provider-schema"),
  ...require("@cdktf/commons"),
};

const file = join(dirname(fileURLToPath(import.meta.url)), "schema.json");
const [used] = Object.values(JSON.parse(readFileSync(file, "utf8")).provider_schemas);
const { providerSchema } = await readSchema([new TerraformProviderConstraint(CONSTRAINT)]).catch(
  (error) => {
    console.error(
      `${error.message}\ncannot read ${CONSTRAINT} from the Terraform registry: no changes made`,
    );
    process.exit(1);
  },
);
const [[address, published]] = Object.entries(providerSchema.provider_schemas);
const resources = Object.keys(used.resource_schemas).map((name) => {
  const schema = published.resource_schemas[name];
  if (!schema) {
    throw new Error(`${address} has no resource "${name}": remove it from schema.json`);
  }
  return [name, schema];
});
const schema = {
  format_version: providerSchema.format_version,
  provider_schemas: {
    [address]: { provider: published.provider, resource_schemas: Object.fromEntries(resources) },
  },
};
// Descriptions repeat the provider's documentation, which the bindings link to.
const withoutDescriptions = (key, value) => (/^description(_kind)?$/.test(key) ? undefined : value);
writeFileSync(file, `${JSON.stringify(schema, withoutDescriptions, 1)}\n`);
console.log(`schema.json: ${resources.length} resources of ${address}`);
await import("./generate.mjs");
