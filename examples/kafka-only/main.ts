// One Kafka broker and a topic.
// Synthesize: node -r ./tools/register.js examples/kafka-only/main.ts
// Deploy: terraform -chdir=cdktf.out/stacks/orders init && terraform -chdir=cdktf.out/stacks/orders apply
import { App, LocalBackend, TerraformStack } from "cdktf";
import { KafkaCluster } from "../../constructs";

const app = new App();
const stack = new TerraformStack(app, "orders");
new LocalBackend(stack, { path: "orders.tfstate" });

const cluster = new KafkaCluster(stack, "Kafka", { brokers: 1 });
cluster.addTopic("orders", { partitions: 3 });

app.synth();
