import { createsOnly } from "../../operations/terraform/terraform";

test.each([
  ["makes what is not there", ["create", "create"], true],
  ["replaces something too", ["create", "replace"], false],
  ["changes something", ["update"], false],
])(
  "a saved plan that %s outlives a change of what the stack rests on: %j, %s",
  (_, actions, lasts) => {
    const plan = new Map(actions.map((action, i) => [`docker_container.${i}`, action]));
    expect(createsOnly({ changes: true, actions: plan })).toBe(lasts);
  },
);

test("a saved plan that does nothing does not outlive a change of what the stack rests on", () => {
  expect(createsOnly({ changes: false, actions: new Map() })).toBe(false);
});
