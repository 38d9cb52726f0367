// Kafka and OpenSearch with TLS, and an application with permissions in both.
// Synthesize: node -r ./tools/register.js examples/secured/main.ts
// Deploy: terraform -chdir=cdktf.out/stacks/shop init && terraform -chdir=cdktf.out/stacks/shop apply
// The synth also writes the CA, key pairs and password to examples/secured/secrets/. Keep that folder, and keep it out of version control.
import { join } from "node:path";
import { App, LocalBackend, TerraformStack } from "cdktf";
import {
  type Application,
  KafkaCluster,
  KafkaInit,
  Network,
  OpenSearchCluster,
  OpenSearchSecurity,
} from "../../constructs";
import { SecretFolder } from "../../secrets/secret-folder";

const app = new App();
const stack = new TerraformStack(app, "shop");
new LocalBackend(stack, { path: "shop.tfstate" });

const security = new SecretFolder(join(__dirname, "secrets"));
const projectNetwork = new Network(stack, "Applications", { name: "shop" });
const shop: Application = {
  name: "shop",
  topics: { orders: "readwrite" },
  consumerGroups: ["shop"],
  indices: { "orders-*": "readwrite" },
};

const kafka = new KafkaCluster(stack, "Kafka", { brokers: 1, projectNetwork, security });
new KafkaInit(stack, "KafkaInit", {
  cluster: kafka,
  topics: [{ name: "orders", partitions: 3 }],
  applications: [shop],
});

const openSearch = new OpenSearchCluster(stack, "OpenSearch", {
  nodeCount: 1,
  projectNetwork,
  security,
});
new OpenSearchSecurity(stack, "OpenSearchSecurity", { cluster: openSearch, applications: [shop] });

security.ensure().then(() => app.synth());
