// One broker and its topics in a project of one's own: nothing but the public constructs.
// node -r ./tools/register.js examples/kafka-only/main.ts writes cdktf.out; terraform in cdktf.out/stacks/orders deploys it.
import { App, LocalBackend, TerraformStack } from "cdktf";
import {
  applyServiceSettings,
  DataVolume,
  KafkaCluster,
  KafkaInit,
  Network,
  useDockerProvider,
} from "../../constructs";

const app = new App();
const stack = new TerraformStack(app, "orders");
applyServiceSettings(stack, { environment: "orders", stack: "orders", memoryScale: 0.5 });
new LocalBackend(stack, { path: "orders.tfstate" });
useDockerProvider(stack);

const infra = new Network(stack, "infra", { name: "orders_infra" });
const applications = new Network(stack, "applications", { name: "orders_net" });
const cluster = new KafkaCluster(stack, "kafka", {
  infraNetwork: infra,
  projectNetwork: applications,
  nodes: [{ dataVolume: new DataVolume(stack, "volume", { name: "orders-kafka-data" }) }],
});
new KafkaInit(stack, "kafka-init", {
  cluster,
  topics: [{ name: "orders", partitions: 3 }],
});

app.synth();
