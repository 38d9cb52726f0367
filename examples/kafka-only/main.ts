// One broker and a topic in a project of one's own.
// node -r ./tools/register.js examples/kafka-only/main.ts writes cdktf.out; terraform in cdktf.out/stacks/orders deploys it.
import { App, LocalBackend, TerraformStack } from "cdktf";
import { KafkaCluster } from "../../constructs";

const app = new App();
const stack = new TerraformStack(app, "orders");
new LocalBackend(stack, { path: "orders.tfstate" });

const cluster = new KafkaCluster(stack, "Kafka", { brokers: 1 });
cluster.addTopic("orders", { partitions: 3 });

app.synth();
