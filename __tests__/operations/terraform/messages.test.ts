import { type Message, messageOf } from "../../../operations/terraform/messages";
import { applied, begin, end, KAFKA_1 } from "../../support/progress";

test.each<[object, Message | undefined]>([
  [
    { type: "planned_change", change: { resource: { addr: KAFKA_1 }, action: "replace" } },
    { kind: "planned", address: KAFKA_1, action: "replace" },
  ],
  [
    { type: "apply_start", hook: { resource: { addr: KAFKA_1 }, action: "create" } },
    begin(KAFKA_1),
  ],
  [
    { type: "apply_start", hook: { resource: { addr: KAFKA_1 }, action: "delete" } },
    begin(KAFKA_1, "destroying"),
  ],
  [
    { type: "apply_start", hook: { resource: { addr: "data.docker_network.x" }, action: "read" } },
    undefined,
  ],
  [
    { type: "apply_complete", hook: { resource: { addr: KAFKA_1 }, action: "create" } },
    end(KAFKA_1),
  ],
  [
    { type: "change_summary", changes: { operation: "apply", add: 4, change: 0, remove: 1 } },
    applied(4, 1),
  ],
  [
    { type: "change_summary", changes: { operation: "plan", add: 4, change: 0, remove: 1 } },
    undefined,
  ],
  [
    {
      type: "diagnostic",
      diagnostic: { severity: "error", summary: "no", detail: "why", address: KAFKA_1 },
    },
    { kind: "error", summary: "no", detail: "why", address: KAFKA_1 },
  ],
  [{ type: "diagnostic", diagnostic: { severity: "warning", summary: "old" } }, undefined],
  [{ type: "apply_progress", hook: { resource: { addr: KAFKA_1 }, action: "create" } }, undefined],
])("the line %j tells of %j", (line, message) => {
  expect(messageOf(JSON.stringify(line))).toEqual(message);
});

test("a line that is not JSON, such as a provider's panic, is ignored", () => {
  expect(messageOf("panic: runtime error")).toBeUndefined();
});
