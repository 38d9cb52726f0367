import { nearestName } from "../container/nearest-name";
import table from "./topic-configs.json";

/** What a broker knows of a config of topics; the table is made from Kafka's own class, see topic-configs/. */
interface KnownConfig {
  /** Of Kafka's `ConfigDef.Type`. */
  readonly type: string;
  /** What the broker's validator says of itself; none when every value of the type is allowed. */
  readonly valid?: string;
  /** The broker's setting that holds where a topic sets nothing, when it has another name. */
  readonly broker?: string;
}

const KNOWN = new Map<string, KnownConfig>(Object.entries(table));

/** Which values a config has, in words and as a test. */
interface Values {
  readonly allowed: string;
  readonly has: (text: string) => boolean;
}

/** The value as Kafka reads it: without the white space around it, which a list has around its commas, too. */
export function configText(key: string, value: unknown): string {
  const text = String(value).trim();
  return KNOWN.get(key)?.type === "LIST" ? text.split(/\s*,\s*/).join() : text;
}

/** Why brokers would refuse the config, or nothing when they would take it. */
export function refusalOfConfig(key: string, value: unknown): string | undefined {
  const config = KNOWN.get(key);
  if (config === undefined) {
    return `${key}, which Kafka does not have: ${suggestion(key)}`;
  }
  const { allowed, has } = valuesOf(config);
  return has(configText(key, value)) ? undefined : `${key}=${value}: allowed is ${allowed}`;
}

/** What takes configs off a topic again, which kafka-init never does: somebody else may have set them. */
export function removalOfConfigs(topic: string, keys: readonly string[]): string {
  return `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --delete-config ${keys.join()}, as in docs/how-to/topic.md`;
}

function suggestion(key: string): string {
  const [ofBroker] = [...KNOWN].find(([, { broker }]) => broker === key) ?? [];
  if (ofBroker !== undefined) {
    return `that is the brokers' setting, a topic's is ${ofBroker}`;
  }
  const nearest = nearestName(key, KNOWN.keys());
  return nearest === undefined
    ? `those that it has are in https://kafka.apache.org/documentation/#topicconfigs`
    : `did you mean ${nearest}?`;
}

/** As `ConfigDef.parseType` reads the type, and as the validator that has described itself decides. */
function valuesOf({ type, valid = "" }: KnownConfig): Values {
  switch (type) {
    case "BOOLEAN":
      return { allowed: "true or false", has: (text) => /^(true|false)$/i.test(text) };
    case "INT":
      return wholeNumbers(valid, -(2n ** 31n), 2n ** 31n - 1n);
    case "LONG":
      return wholeNumbers(valid, -(2n ** 63n), 2n ** 63n - 1n);
    case "DOUBLE":
      return decimalNumbers(valid);
    case "STRING":
      return oneOf(valid);
    case "LIST":
      return valid.startsWith("[partitionId]:[brokerId]") ? throttledReplicas() : listOf(valid);
    default:
      throw new Error(`topic-configs.json has the type ${type}, which topic-config.ts cannot read`);
  }
}

/** "[0,...]", "[1,...,17]" and "[1,...,9] or -1"; nothing for every number of the type. */
function wholeNumbers(valid: string, smallest: bigint, largest: bigint): Values {
  const [least = smallest, most = largest, other] = rangeIn(valid, BigInt);
  return {
    allowed: `a whole number from ${least} to ${most}${other === undefined ? "" : `, or ${other}`}`,
    has: (text) => {
      if (!/^[+-]?\d+$/.test(text)) {
        return false;
      }
      const number = BigInt(text.replace("+", ""));
      return (number >= least && number <= most) || number === other;
    },
  };
}

/** "[0,...,1]". */
function decimalNumbers(valid: string): Values {
  const [least = -Infinity, most = Infinity] = rangeIn(valid, Number);
  return {
    allowed: `a number from ${least} to ${most}`,
    has: (text) =>
      /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) &&
      Number(text) >= least &&
      Number(text) <= most,
  };
}

/** Least, most, and one beside them. */
function rangeIn<T>(valid: string, read: (text: string) => T): (T | undefined)[] {
  const [all, ...parts] = /^(?:\[(.*?),\.\.\.(?:,(.*?))?\](?: or (.*))?)?$/.exec(valid) ?? [];
  if (all === undefined) {
    throw new Error(`topic-configs.json has the range ${valid}, which topic-config.ts cannot read`);
  }
  return parts.map((text) => (text === undefined ? undefined : read(text)));
}

function oneOf(valid: string): Values {
  const words = wordsIn(valid);
  return {
    allowed: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
    has: (text) => words.includes(text),
  };
}

/** Also none of the words. */
function listOf(valid: string): Values {
  const words = wordsIn(valid);
  return {
    allowed: `a list out of ${words.join(", ")}`,
    has: (text) => text === "" || text.split(",").every((item) => words.includes(item)),
  };
}

/** "[compact, delete]". */
function wordsIn(valid: string): string[] {
  const [, words] = /^\[(\w+(?:, \w+)*)\]$/.exec(valid) ?? [];
  if (words === undefined) {
    throw new Error(`topic-configs.json has the words ${valid}, which topic-config.ts cannot read`);
  }
  return words.split(", ");
}

function throttledReplicas(): Values {
  return {
    allowed: `a list of partition:broker, as in "0:1,1:2", or "*"`,
    has: (text) => text === "*" || text.split(",").every((item) => /^(\d+:\d+)?$/.test(item)),
  };
}
