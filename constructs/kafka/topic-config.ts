import { nearestName } from "../container/nearest-name";
import table from "./topic-configs.json";

/** A topic config as brokers know it. topic-configs/ generates the table from Kafka's own class. */
interface KnownConfig {
  /** Kafka's `ConfigDef.Type`. */
  readonly type: string;
  /** The description of the broker's validator. Unset if every value of the type is allowed. */
  readonly valid?: string;
  /** The broker config that is the default, if it has another name. */
  readonly broker?: string;
}

const KNOWN = new Map<string, KnownConfig>(Object.entries(table));

/** The allowed values of a config, in words and as a test. */
interface Values {
  readonly allowed: string;
  readonly has: (text: string) => boolean;
}

/** Returns the value as Kafka parses it: trimmed, and in lists without white space around commas. */
export function configText(key: string, value: unknown): string {
  const text = String(value).trim();
  return KNOWN.get(key)?.type === "LIST" ? text.split(/\s*,\s*/).join() : text;
}

/** Describes why brokers reject the config, or returns undefined if they accept it. */
export function refusalOfConfig(key: string, value: unknown): string | undefined {
  const config = KNOWN.get(key);
  if (config === undefined) {
    return `has the unknown config ${key}: ${suggestion(key)}`;
  }
  const { allowed, has } = valuesOf(config);
  return has(configText(key, value))
    ? undefined
    : `has the config ${key}=${value}: it must be ${allowed}`;
}

/** Returns the command that removes configs from a topic. For configs that were never declared: kafka-init leaves them, since another tool may have set them. */
export function removalOfConfigs(topic: string, keys: readonly string[]): string {
  return `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --delete-config ${keys.join()} (see docs/how-to/topic.md)`;
}

function suggestion(key: string): string {
  const [ofBroker] = [...KNOWN].find(([, { broker }]) => broker === key) ?? [];
  if (ofBroker !== undefined) {
    return `it is a broker config; the topic config is ${ofBroker}`;
  }
  const nearest = nearestName(key, KNOWN.keys());
  return nearest === undefined
    ? `see https://kafka.apache.org/documentation/#topicconfigs`
    : `did you mean ${nearest}?`;
}

/** Follows `ConfigDef.parseType` and the broker's validator. */
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

/** Reads "[0,...]", "[1,...,17]" and "[1,...,9] or -1". An empty text allows every number of the type. */
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

/** Reads "[0,...,1]". */
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

/** Returns the minimum, the maximum and an extra value. */
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

/** Allows an empty list too. */
function listOf(valid: string): Values {
  const words = wordsIn(valid);
  return {
    allowed: `a list of ${words.join(", ")}`,
    has: (text) => text === "" || text.split(",").every((item) => words.includes(item)),
  };
}

/** Reads "[compact, delete]". */
function wordsIn(valid: string): string[] {
  const [, words] = /^\[(\w+(?:, \w+)*)\]$/.exec(valid) ?? [];
  if (words === undefined) {
    throw new Error(`topic-configs.json has the words ${valid}, which topic-config.ts cannot read`);
  }
  return words.split(", ");
}

function throttledReplicas(): Values {
  return {
    allowed: `a list of partition:broker, such as "0:1,1:2", or "*"`,
    has: (text) => text === "*" || text.split(",").every((item) => /^(\d+:\d+)?$/.test(item)),
  };
}
