import fc from "fast-check";
import { catalog } from "../../../catalog";
import { laptop } from "../../../environments/laptop";
import { differences } from "../../../operations/changes/diff";
import type { Synthesis } from "../../../operations/synthesis/tree";
import type { Json } from "../../support/platform";
import { synthesis } from "../../support/previews";

test("for random edits of the catalog, exactly the resources whose JSON differs are reported", () => {
  const topic = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    partitions: fc.integer({ min: 1, max: 3 }),
    onDrift: fc.constantFrom("fail" as const, "reconcile" as const),
    configs: fc.record({ "retention.ms": fc.integer({ min: 1, max: 3 }) }),
  });
  const topics = fc.uniqueArray(topic, { selector: ({ name }) => name, maxLength: 4 });
  const notifications = fc.record({
    groupBy: fc.constantFrom(["alertname"], ["service"]),
    repeatInterval: fc.constantFrom("1h", "4h"),
  });
  const edits = fc.record({ topics, notifications, alerts: fc.integer({ min: 1, max: 2 }) });
  const make = ({ topics: declared, notifications: policy, alerts }: Json) =>
    synthesis(laptop, {
      ...catalog,
      topics: declared,
      // The first one is of environments with backups.
      alertGroups: catalog.alertGroups.slice(1, alerts + 1),
      notifications: {
        ...catalog.notifications,
        policy: { ...catalog.notifications.policy, ...policy },
      },
    });
  // Compares each with the previous one.
  let base = make({ topics: [], notifications: {}, alerts: 1 });
  fc.assert(
    fc.property(edits, (edit) => {
      const head = make(edit);
      const found = differences(base, head).map(({ stack, type, id }) => `${stack} ${type}.${id}`);
      expect(found.sort()).toEqual(differingResources(base, head));
      base = head;
    }),
    { numRuns: 15, seed: 1 },
  );
});

/** Compares the JSON directly: returns every resource whose text differs. */
function differingResources(base: Synthesis, head: Synthesis): string[] {
  const texts = (synthesized: Synthesis) =>
    new Map(
      [...synthesized].flatMap(([stack, { resource = {} }]) =>
        Object.entries<Json>(resource).flatMap(([type, bodies]) =>
          Object.entries<Json>(bodies).map(
            ([id, body]) => [`${stack} ${type}.${id}`, JSON.stringify(body)] as const,
          ),
        ),
      ),
    );
  const [old, now] = [texts(base), texts(head)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((key) => old.get(key) !== now.get(key))
    .sort();
}
