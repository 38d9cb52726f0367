import { deletedSooner } from "../../../constructs/opensearch/deleted-sooner";
import type { RetentionPolicyBody } from "../../../constructs/opensearch/retention-policy-body";
import type { Json } from "../../support/platform";

/** A policy that deletes an index under one of the conditions. */
const deleting = (...conditions: Json[]): RetentionPolicyBody => ({
  default_state: "open",
  states: [
    {
      name: "open",
      transitions: conditions.map((one) => ({ state_name: "delete", conditions: one })),
    },
    { name: "delete", actions: [{ delete: {} }] },
  ],
});

const created = (age: string) => ({ min_index_age: age });

/** A policy of several states, each after its conditions, that starts in one of them. */
const through = (conditions: readonly Json[], first = 0): RetentionPolicyBody => ({
  default_state: String(first),
  states: [
    ...conditions.map((one, i) => ({
      name: String(i),
      transitions: [
        { state_name: String(i + 1), conditions: one },
        ...(i > 0 ? [{ state_name: "0", conditions: { min_doc_count: 1 } }] : []),
      ],
    })),
    { name: String(conditions.length), actions: [{ delete: {} }] },
  ],
});

const inState = (age: string) => ({ min_state_age: age });

test.each<[string, RetentionPolicyBody, RetentionPolicyBody]>([
  ["the age is higher, in another unit", deleting(created("30d")), deleting(created("720h"))],
  ["one of two ways is gone", deleting(created("1d"), created("9d")), deleting(created("9d"))],
  ["nothing is deleted any more", deleting(created("1d")), deleting()],
  [
    "another state comes before the one that deletes it",
    deleting(created("30d")),
    through([created("7d"), created("30d")]),
  ],
  [
    "it stays longer in an earlier state",
    through([created("7d"), inState("1d")]),
    through([created("9d"), {}, inState("1d")]),
  ],
  ["it was deleted at once", deleting({}), deleting({ min_size: "1gb" })],
])("an index is not deleted sooner if %s", (_, was, is) => {
  expect(deletedSooner("logs", was, is)).toEqual([]);
});

test.each<[string, RetentionPolicyBody, RetentionPolicyBody, string]>([
  [
    "the age is lower",
    deleting(created("30d")),
    deleting(created("10d")),
    "10d after its creation, formerly 30d after its creation",
  ],
  [
    "its creation counts, not its rollover",
    deleting({ min_rollover_age: "1d" }),
    deleting(created("9d")),
    "9d after its creation, formerly 1d after its rollover",
  ],
  [
    "it has another condition",
    deleting(),
    deleting({ min_size: "1gb" }),
    'once min_size is "1gb", formerly never',
  ],
  [
    "it stays shorter in an earlier state",
    through([created("30d"), inState("1d")]),
    through([created("7d"), inState("1d")]),
    "7d after its creation, then 1d after it reached the state before, formerly 30d after its creation, then 1d",
  ],
  [
    "it starts in a later state",
    through([created("30d"), inState("1d")]),
    through([created("30d"), inState("1d")], 1),
    "1d after it reached the state before, formerly 30d after its creation, then 1d",
  ],
  ["there is no condition any more", deleting(created("1d")), deleting({}), "at once, formerly 1d"],
  [
    "it starts in a state that deletes it",
    deleting(created("1d"), { min_size: "1gb" }),
    { default_state: "delete", states: [{ name: "delete", actions: [{ delete: {} }] }] },
    'at once, formerly 1d after its creation, or once min_size is "1gb"',
  ],
])("an index is deleted sooner if %s", (_, was, is, words) => {
  const [line, ...others] = deletedSooner("logs", was, is);
  expect(line).toContain(`retention policy logs: OpenSearch deletes an index ${words}`);
  expect(others).toEqual([]);
});
