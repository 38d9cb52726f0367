import { laptop } from "../../environments/laptop";
import { production } from "../../environments/production";
import { validateEnvironment } from "../../environments/validate";

test("an environment fails that would be deployed over another one", () => {
  expect(() => validateEnvironment("staging", { ...production, memoryScale: 1 })).toThrow(
    'environment "staging" in environments/index.ts has the name "production": it would be deployed over that one\'s state and containers; set name to "staging"',
  );
});

test("an environment fails in which two containers would have one port", () => {
  const at = (openSearch: number, kafka: number, grafana: number) => () =>
    validateEnvironment("laptop", { ...laptop, hostPorts: { openSearch, kafka, grafana } });
  expect(at(9091, 9092, 3000)).toThrow(
    'hostPorts of environment "laptop" give 9092 to opensearch-2 and to kafka-1: each node of a cluster takes a port, counted on from its first one; set them further apart',
  );
  expect(at(9200, 9092, 9094)).toThrow("give 9094 to kafka-3 and to grafana: ");
  expect(at(9200, 65534, 3000)).toThrow(
    'hostPorts of environment "laptop" give 65536 to kafka-3: a port is 1 to 65535',
  );
  expect(at(9095, 9092, 3000)).not.toThrow();
});
