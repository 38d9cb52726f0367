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

describe("the networks of an environment", () => {
  const named = (infra: string, project: string) => () =>
    validateEnvironment("laptop", {
      ...laptop,
      networks: { infra: { name: infra }, project: { name: project } },
    });

  test.each([
    "infra net",
    "_infra",
    "infra_",
    "infra..net",
    "Ünfra",
    "host",
    "a/b",
    "x".repeat(64),
  ])("are rejected with the name %j", (name) => {
    expect(named(name, "project_net")).toThrow(
      `network name "${name}" is invalid, since it is part of host names: use letters, digits, "-", "_" and ".", with a letter or digit at both ends, and none of bridge, host, none, ingress`,
    );
  });

  test("are rejected if their host names are the same", () => {
    expect(named("data_net", "Data-net")).toThrow(
      'the networks of environment "laptop" are named "data_net" and "Data-net", which are the same in host names: rename one of them',
    );
  });

  test("may have every other name", () => {
    expect(named("infra.example_1", "x".repeat(63))).not.toThrow();
  });
});

test("drift that is compared so seldom that the metric of the last run is deleted before the next is missing is rejected", () => {
  const every = (everyHours: number, retentionDays?: number) => () =>
    validateEnvironment("laptop", {
      ...{ ...laptop, drift: { everyHours } },
      prometheus: { retentionDays },
    });
  expect(every(181)).toThrow(
    'environment "laptop" has drift.everyHours 181 and keeps metrics for 15 days (prometheus.retentionDays): the alert DriftRunMissing needs those of twice the interval, and would fire without cause after a restart of Alloy; set drift.everyHours to 180 or less, or prometheus.retentionDays to 16 or more',
  );
  expect(every(24, 1)).toThrow(
    "set drift.everyHours to 12 or less, or prometheus.retentionDays to 2",
  );
  expect(every(180)).not.toThrow();
  expect(every(181, 16)).not.toThrow();
});

describe("the image of a service", () => {
  const withImage = (image: string) => () =>
    validateEnvironment("laptop", {
      ...laptop,
      kafka: { ...laptop.kafka, image },
      openSearch: { ...laptop.openSearch, image },
      grafana: { ...laptop.grafana, image },
    });

  const VERSIONED =
    'it must be an image whose tag starts with the full version of the service, such as "apache/kafka:4.3.1" or "registry.example/kafka:4.3.1-custom", before a digest if there is one. Tag a mirrored image with the version: docker tag registry.example/kafka:stable registry.example/kafka:4.3.1';

  test.each([
    ...[
      "kafka:stable",
      "kafka:4",
      "registry:5000/kafka:4.3",
      "kafka:4.3.1.2",
      "kafka:latest@sha256:1a",
    ],
    ...["kafka@sha256:1a", "kafka:nightly-4.3.1", "4.3.1/kafka:x"],
  ])("tells the version of a cluster, which %j does not; Grafana's may not", (image) => {
    // Text before an @ may be a password.
    const shown = /:.*@/.test(image) ? "[hidden]" : `"${image}"`;
    expect(withImage(image)).toThrow(
      new Error(
        ["openSearch", "kafka"]
          .map((service) => `environment "laptop": ${service}.image is ${shown}: ${VERSIONED}`)
          .join("\n"),
      ),
    );
  });

  test.each(["apache/kafka", "apache/kafka:latest", "registry:5000/kafka", "kafka:", ""])(
    "is rejected without a pinned version, as %j",
    (image) => {
      expect(withImage(image)).toThrow(
        [
          ...["openSearch", "kafka"].map((service) => [service, VERSIONED]),
          [
            "grafana",
            'it must be an image with a pinned version as its tag, such as "apache/kafka:4.3.1"',
          ],
        ]
          .map(
            ([service, allowed]) =>
              `environment "laptop": ${service}.image is "${image}": ${allowed}`,
          )
          .join("\n"),
      );
    },
  );

  test.each([
    ...["apache/kafka:4.2.0", "registry:5000/team/kafka:4.2.0-patched", "kafka:v4.2.0"],
    ...["registry:5000/team/kafka:4.2.0@sha256:1a"],
  ])("may be %s", (image) => {
    expect(withImage(image)).not.toThrow();
  });
});
