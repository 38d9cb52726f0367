import type { Construct } from "constructs";
import { validate } from "../container/validation";
import type { Application } from "../security/application-schema";
import { aclsOf } from "./acls";

type Ids = Pick<Application, "streams" | "connect" | "transactionalIds">;

const idsOf = (declared: Ids): string[] =>
  aclsOf({ name: "", ...declared })
    .filter(({ resource }) => resource === "transactional_id")
    .map(({ name }) => name);

/** Whether one id can match both: a `*` at the end makes a name a prefix. */
function overlap(one: string, other: string): boolean {
  const covers = (name: string, covered: string) =>
    name.endsWith("*") ? covered.startsWith(name.slice(0, -1)) : covered === name;
  return covers(one, other) || covers(other, one);
}

/**
 * Throws if the transactional ids of an application of Kafka Streams or Kafka Connect include one of another application. A producer that
 * starts with the id of another one stops that. Two applications may list the same ids, for example if they take turns.
 */
export function validateTransactionalIds(
  applications: readonly Application[],
  scope?: Construct,
): void {
  for (const application of applications) {
    const { name, streams, connect } = application;
    const others = applications
      .filter((other) => other !== application)
      .flatMap((other) => {
        // Types are checked elsewhere and may be wrong. "*" needs everything: true, which says that it is meant.
        const transactionalIds = [other.transactionalIds]
          .flat()
          .filter((id): id is string => typeof id === "string" && id !== "*");
        const all = idsOf({ streams: other.streams, connect: other.connect, transactionalIds });
        return all.map((id) => ({ owner: other.name, id }));
      });
    for (const [property, id, own] of [
      ["streams", streams, idsOf({ streams })],
      ["connect", connect, idsOf({ connect })],
    ] as const) {
      const found = others.find((other) => own.some((each) => overlap(each, other.id)));
      validate(
        found === undefined,
        () =>
          `application "${name}" has ${property} "${id}", whose transactional ids ${own.join(" and ")} overlap with ${found?.id} of application "${found?.owner}": each could stop the producers of the other; choose another id`,
        scope,
      );
    }
  }
}
