import { reasonIn } from "../../../operations/platform/open-search-answer";

const ERROR = "curl: (22) The requested URL returned error: 400";
const BODY =
  '{"error":{"reason":"outer","caused_by":{"reason":"inner","caused_by":{"type":"x"}}},"status":400}';

test.each([
  ["before", `${ERROR}\n${BODY}`],
  ["after", `${BODY}${ERROR}`],
  ["inside", `${BODY.slice(0, 40)}${ERROR}\n${BODY.slice(40)}`],
])(
  "the innermost reason of a refused request is found with curl's words %s the response",
  (_, output) => {
    expect(reasonIn(output)).toBe("inner");
  },
);

test("the reason of an exception that a plugin wraps is shown without its class", () => {
  const wrapped = "java.lang.IllegalArgumentException: New policy logs has a template: 5";
  const output = JSON.stringify({ error: { reason: "x", caused_by: { reason: wrapped } } });
  expect(reasonIn(output)).toBe("New policy logs has a template: 5");
});

test.each([
  ["curl: (7) Failed to connect", "curl: (7) Failed to connect"],
  [`Unauthorized\n${ERROR}`, `Unauthorized\n${ERROR}`],
  ["", "no answer"],
])("without a reason in JSON, the output %j is the reason", (output, reason) => {
  expect(reasonIn(output)).toBe(reason);
});
