import type { Construct } from "constructs";
import { all, validate } from "../container/validation";
import type { Application, Quotas } from "../security/application-schema";

/** Kafka's name of each quota. */
const KEYS: Readonly<Record<keyof Quotas, string>> = {
  produceBytesPerSecond: "producer_byte_rate",
  consumeBytesPerSecond: "consumer_byte_rate",
  requestPercent: "request_percentage",
};

/** The quotas by Kafka's names. */
export type KafkaQuotas = Readonly<Record<string, number>>;

/** Kafka's names of the quotas that an application can declare. kafka-init leaves others alone. */
export const QUOTA_KEYS = Object.values(KEYS);

/** Returns the quotas of an application by Kafka's names. */
export function quotasOf({ quotas = {} }: Application): KafkaQuotas {
  return Object.fromEntries(
    (Object.keys(KEYS) as (keyof Quotas)[]).flatMap((name) => {
      const value = quotas[name];
      return value === undefined ? [] : [[KEYS[name], value]];
    }),
  );
}

/** Throws if Kafka would reject a quota. */
export function validateQuotas(
  scope: Construct | undefined,
  { name, quotas = {} }: Application,
): void {
  const { produceBytesPerSecond, consumeBytesPerSecond, requestPercent } = quotas;
  all(
    ...Object.entries({ produceBytesPerSecond, consumeBytesPerSecond }).map(
      ([quota, value]) =>
        () =>
          validate(
            value === undefined || (Number.isSafeInteger(value) && value >= 1),
            () =>
              `application "${name}": quotas.${quota} is ${value}: use a whole number of bytes per second, at least 1`,
            scope,
          ),
    ),
    () =>
      validate(
        requestPercent === undefined || (Number.isFinite(requestPercent) && requestPercent > 0),
        () =>
          `application "${name}": quotas.requestPercent is ${requestPercent}: use a number greater than 0; 100 is one thread of a broker`,
        scope,
      ),
  );
}
