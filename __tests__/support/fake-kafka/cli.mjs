// The part of the Kafka CLI that kafka-init uses, over a directory instead of a cluster, with the output that the real tools of
// Kafka 4.3 print. FAKE_KAFKA has topics/, faults/ (taken one a call, in order) and the log of calls.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const [tool, ...args] = process.argv.slice(2);
const root = process.env.FAKE_KAFKA;
const option = (name) => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
};
const topicFile = (name) => join(root, "topics", name, "topic.json");
const read = (name) => JSON.parse(readFileSync(topicFile(name), "utf8"));
const write = (name, topic) => writeFileSync(topicFile(name), JSON.stringify(topic));
const rejected = (text) => {
  console.log(`Error while executing topic command : ${text}`);
  process.exit(1);
};

appendFileSync(join(root, "calls"), `${tool} ${args.join(" ")}\n`);

const fault = takeFault();
if (fault) {
  if (fault.sleepMs) {
    await new Promise((resolve) => setTimeout(resolve, fault.sleepMs));
  }
  if (fault.createFirst) {
    create(fault.createFirst.name, fault.createFirst);
  }
  if (fault.signal) {
    process.kill(process.pid, fault.signal);
    await new Promise(() => setInterval(() => undefined, 1000));
  }
  if (fault.output !== undefined) {
    process.stdout.write(fault.output);
    process.exit(fault.exitCode ?? 1);
  }
}

if (tool === "kafka-cluster") {
  const brokers = Number(readFileSync(join(root, "brokers"), "utf8"));
  console.log("ID         HOST              PORT       RACK       STATE      ENDPOINT_TYPE  ");
  for (let id = 1; id <= 3; id++) {
    const state = id <= brokers ? "unfenced" : "fenced";
    console.log(
      `${id}          kafka-${id}.infra_net 19092      null       ${state}   broker         `,
    );
  }
} else if (tool === "kafka-configs") {
  const name = option("--entity-name");
  const topic = read(name);
  if (args.includes("--alter")) {
    for (const [, key, value] of option("--add-config").matchAll(/([^=,]+)=\[([^\]]*)\],?/g)) {
      topic.configs[key] = value;
    }
    write(name, topic);
    console.log(`Completed updating config for topic ${name}.`);
  } else {
    const effective = { "retention.ms": "604800000", ...topic.configs };
    console.log(`All configs for topic ${name} are:`);
    for (const [key, value] of Object.entries(effective)) {
      console.log(
        `  ${key}=${value} sensitive=false synonyms={DEFAULT_CONFIG:log.${key}=${value}}`,
      );
    }
  }
} else if (args.includes("--create")) {
  const configs = {};
  args.forEach((arg, i) => {
    if (arg === "--config") {
      const [key, value] = args[i + 1].split(/=(.*)/);
      if (key === "no.such.config") {
        rejected(`Unknown topic config name: ${key}`);
      }
      configs[key] = value;
    }
  });
  const name = option("--topic");
  const topic = {
    partitions: Number(option("--partitions")),
    replicationFactor: Number(option("--replication-factor")),
    configs,
  };
  if (!create(name, topic)) {
    rejected(`Topic '${name}' already exists.`);
  }
  console.log(`Created topic ${name}.`);
} else if (args.includes("--alter")) {
  const name = option("--topic");
  const topic = read(name);
  const partitions = Number(option("--partitions"));
  if (partitions < topic.partitions) {
    rejected(
      `The topic ${name} currently has ${topic.partitions} partition(s); ${partitions} would not be an increase.`,
    );
  }
  write(name, { ...topic, partitions });
} else if (args.includes("--list")) {
  console.log(readdirSync(join(root, "topics")).join("\n"));
} else {
  const alive = [1, 2, 3].slice(0, Number(readFileSync(join(root, "brokers"), "utf8"))).join(",");
  for (const name of readdirSync(join(root, "topics"))) {
    if (!existsSync(topicFile(name))) {
      continue;
    }
    const { partitions, replicationFactor, configs } = read(name);
    const list = Object.entries(configs)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
    console.log(
      `Topic: ${name}\tTopicId: EhROo5DkTISZwpwMKG-8ZQ\tPartitionCount: ${partitions}\tReplicationFactor: ${replicationFactor}\tConfigs: ${list}`,
    );
    for (let partition = 0; partition < partitions; partition++) {
      console.log(
        `\tTopic: ${name}\tPartition: ${partition}\tLeader: 1\tReplicas: 1,2,3\tIsr: ${alive}\tElr: \tLastKnownElr: `,
      );
    }
  }
}

/** Whether the topic was absent. */
function create(name, { partitions, replicationFactor, configs }) {
  try {
    mkdirSync(join(root, "topics", name));
  } catch {
    return false;
  }
  write(name, { partitions, replicationFactor, configs });
  return true;
}

/** The first fault whose tool and arguments match; a rename takes it, so that no two calls get the same. */
function takeFault() {
  const call = `${tool} ${args.join(" ")}`;
  for (const file of readdirSync(join(root, "faults")).sort()) {
    const path = join(root, "faults", file);
    try {
      const candidate = JSON.parse(readFileSync(path, "utf8"));
      if (new RegExp(candidate.on).test(call)) {
        renameSync(path, join(root, `taken-${file}`));
        return candidate;
      }
    } catch {
      // Another call was quicker.
    }
  }
  return undefined;
}
