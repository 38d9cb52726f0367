import { EXIT_CHANGES, EXIT_DESTRUCTIVE } from "../../../../operations/changes/report";
import { BASE, TEMPLATE, testPreviews, withTemplates } from "../../../support/previews";

testPreviews([
  [
    "a template added",
    EXIT_CHANGES,
    () => [
      BASE,
      withTemplates({ logs_template: TEMPLATE, orders: { index_patterns: ["orders-*"] } }),
    ],
  ],
  [
    "a template changed",
    EXIT_CHANGES,
    () => [
      BASE,
      withTemplates({
        logs_template: { ...TEMPLATE, priority: 300, index_patterns: ["logs-*", "log-*"] },
      }),
    ],
  ],
  ["a template renamed", EXIT_DESTRUCTIVE, () => [BASE, withTemplates({ logs: TEMPLATE })]],
]);
