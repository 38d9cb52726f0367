// One OpenSearch node with index templates. HTTP is on port 9200 of this machine.
// Synthesize: node -r ./tools/register.js examples/opensearch-only/main.ts
// Deploy: terraform -chdir=cdktf.out/stacks/search init && terraform -chdir=cdktf.out/stacks/search apply
import { join } from "node:path";
import { App, LocalBackend, TerraformStack } from "cdktf";
import { IndexTemplate, OpenSearchCluster, OpenSearchInit } from "../../constructs";

const app = new App();
const stack = new TerraformStack(app, "search");
new LocalBackend(stack, { path: "search.tfstate" });

const cluster = new OpenSearchCluster(stack, "OpenSearch", { nodes: [{ hostPort: 9200 }] });
new OpenSearchInit(stack, "OpenSearchInit", {
  cluster,
  indexTemplates: IndexTemplate.fromDirectory(join(__dirname, "index-templates")),
});

app.synth();
