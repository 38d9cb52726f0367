import { meaningOf, remedyOf } from "../../../constructs";

test("every exit code is explained, including unknown ones", () => {
  expect([meaningOf(69), remedyOf(69)]).toEqual([
    "the cluster was not ready before the deadline",
    "check its containers, then deploy again",
  ]);
  expect([meaningOf(3), remedyOf(3)]).toEqual(["unexpected failure", "read the log"]);
});
