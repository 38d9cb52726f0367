import { renderDuration } from "../../../constructs/container/health-check";

test("a duration is spelled as the provider reads it back", () => {
  expect([2, 60, 90, 180].map(renderDuration)).toEqual(["2s", "1m0s", "1m30s", "3m0s"]);
});
