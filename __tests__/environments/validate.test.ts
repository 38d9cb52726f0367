import { laptop } from "../../environments/laptop";
import { production } from "../../environments/production";
import { validateEnvironment } from "../../environments/validate";

test("an environment with the name of another one is rejected", () => {
  expect(() => validateEnvironment("staging", { ...production, memoryScale: 1 })).toThrow(
    'environment "staging" in environments/index.ts has the name "production": a deploy would use the state and containers of "production"; set name to "staging"',
  );
});

test("an environment that publishes a port twice is rejected", () => {
  const at = (openSearch: number, kafka: number, grafana: number) => () =>
    validateEnvironment("laptop", { ...laptop, hostPorts: { openSearch, kafka, grafana } });
  expect(at(9091, 9092, 3000)).toThrow(
    'hostPorts of environment "laptop" assign port 9092 to opensearch-2 and to kafka-1: the nodes of a cluster use consecutive ports; set the ports further apart',
  );
  expect(at(9200, 9092, 9094)).toThrow("assign port 9094 to kafka-3 and to grafana: ");
  expect(at(9200, 65534, 3000)).toThrow(
    'hostPorts of environment "laptop" assign port 65536 to kafka-3: a port is 1 to 65535',
  );
  expect(at(9095, 9092, 3000)).not.toThrow();
});
