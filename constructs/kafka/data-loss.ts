type Configs = Readonly<Record<string, string>>;

/** Kafka's defaults. An environment may set others for its brokers. */
const DEFAULTS: Configs = {
  "cleanup.policy": "delete",
  "retention.bytes": "-1",
  "retention.ms": "604800000",
};

/** The configs that limit what a topic with the policy `delete` keeps, with their units. */
const LIMITS = [
  { key: "retention.ms", deleted: (limit: string) => `records older than ${limit} ms` },
  {
    key: "retention.bytes",
    deleted: (limit: string) => `the oldest records of partitions larger than ${limit} bytes`,
  },
];

/** Describes the records that Kafka deletes once the configs of a topic change, or returns none. */
export function dataLossOf(topic: string, was: Configs, is: Configs): string[] {
  const shown = (configs: Configs, key: string) => configs[key] ?? `unset (${DEFAULTS[key]})`;
  const loss = (key: string, deleted: string) =>
    `topic ${topic}: ${key} ${shown(was, key)} -> ${shown(is, key)}: Kafka deletes ${deleted}`;
  const added = policiesOf(is).filter((policy) => !policiesOf(was).includes(policy));
  if (added.length > 0) {
    const deleted = added.map((policy) =>
      policy === "compact"
        ? "all but the last record of every key"
        : `records past retention.ms ${shown(is, "retention.ms")} and retention.bytes ${shown(is, "retention.bytes")}`,
    );
    return [loss("cleanup.policy", deleted.join(", and "))];
  }
  return policiesOf(is).includes("delete")
    ? LIMITS.filter(({ key }) => limitOf(is, key) < limitOf(was, key)).map(({ key, deleted }) =>
        loss(key, deleted(effective(is, key))),
      )
    : [];
}

const effective = (configs: Configs, key: string) => configs[key] ?? DEFAULTS[key];

const policiesOf = (configs: Configs) => effective(configs, "cleanup.policy").split(",");

/** Returns the limit as a number: -1 is no limit. */
function limitOf(configs: Configs, key: string): number {
  const limit = Number(effective(configs, key));
  return limit < 0 ? Number.POSITIVE_INFINITY : limit;
}
