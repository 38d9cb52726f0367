import { meaningOf, remedyOf } from "../../../constructs";

test("an exit code is explained, an unknown one too", () => {
  expect([meaningOf(69), remedyOf(69)]).toEqual([
    "the cluster was not ready before the deadline",
    "check its containers, then deploy again",
  ]);
  expect([meaningOf(3), remedyOf(3)]).toEqual(["unexpected failure", "read the log"]);
});
