import { laptop } from "../../../../environments/laptop";
import { EXIT_CHANGES, EXIT_DESTRUCTIVE } from "../../../../operations/changes/report";
import type { Synthesis } from "../../../../operations/synthesis/tree";
import type { Json } from "../../../support/platform";
import {
  BASE,
  edited,
  idOf,
  report,
  setImage,
  synthesis,
  testPreviews,
} from "../../../support/previews";

test("a preview warns of older versions, which a deploy refuses if they cannot read the data", () => {
  const older = synthesis({
    ...laptop,
    kafka: { ...laptop.kafka, image: "apache/kafka:4.2.1" },
    openSearch: { ...laptop.openSearch, image: "opensearchproject/opensearch:3.7.0" },
  });
  const warningsOf = (...[base, head]: Parameters<typeof report>) =>
    report(base, head).changes.flatMap(({ warnings }) => warnings);
  expect(warningsOf(BASE, older)).toEqual([
    ...[1, 2, 3].map(
      (node) =>
        `container opensearch-${node} goes from version 3.8.0 to 3.7.0: npm run up refuses this if a node runs a newer version, since OpenSearch cannot return to an older one with the same data`,
    ),
    ...[1, 2, 3].map(
      (node) =>
        `container kafka-${node} goes from version 4.3.1 to 4.2.1: npm run up refuses this if a newer metadata.version is finalized, which older brokers cannot read`,
    ),
  ]);
  expect([...new Set(warningsOf(older, BASE))]).toEqual([
    "opensearch goes from version 3.7.0 to 3.8.0: it cannot return to the previous version with the same data, so take a backup before (npm run backup)",
    "kafka goes from version 4.2.1 to 4.3.1: metadata.version stays until npm run finalize, and until then the previous image can come back",
  ]);
});

test("a renewed certificate of a node is reloaded: its node is not replaced", () => {
  const secured = { ...laptop, security: "tls" } as const;
  const renewed = (stacks: Synthesis) => {
    const text = JSON.stringify(Object.fromEntries(stacks));
    // Terraform computes the hash of a secret at plan.
    const hash = /\$\{filesha256\([^)]*kafka-1\.pem[^)]*\)\}/g;
    expect(text.match(hash)).toHaveLength(1);
    return new Map(Object.entries(JSON.parse(text.replace(hash, "0123"))));
  };
  const before = synthesis(secured);
  const { changes, rolls } = report(before, renewed(before) as Synthesis);
  expect(rolls).toEqual([]);
  expect(changes).toEqual([
    expect.objectContaining({
      subject: "container kafka-1-certificates",
      action: "replace",
      details: [
        "file /groundwork/certificates/keystore.pem changed",
        "kafka-1 reloads its certificates, without a restart",
      ],
      destructive: [],
      warnings: [],
    }),
  ]);
});

test("a preview calls no loss when TLS is disabled and the volumes of certificates are destroyed", () => {
  const { changes } = report(synthesis({ ...laptop, security: "tls" }), BASE);
  const volumes = changes.filter(({ subject }) => subject.startsWith("volume "));
  expect(volumes.map(({ subject, action }) => `${subject}: ${action}`).sort()).toEqual(
    ["kafka", "opensearch"].flatMap((cluster) =>
      [1, 2, 3].map((n) => `volume ${cluster}-${n}-certificates: destroy`),
    ),
  );
  expect(volumes.flatMap(({ destructive }) => destructive)).toEqual([]);
});

testPreviews([
  [
    "another program of a sidecar",
    EXIT_CHANGES,
    () => [
      BASE,
      edited(({ "laptop-messaging": { resource } }) => {
        const { upload } = resource.docker_container[idOf(resource.docker_container, "kafka-init")];
        const program = upload.find(({ file }: Json) => file === "/groundwork/kafka-init.jar");
        program.source = program.source.replaceAll(program.source_hash, "0123");
        program.source_hash = "0123";
      }),
    ],
  ],
  ["two more brokers", EXIT_CHANGES, () => [BASE, synthesis({ ...laptop, kafka: { brokers: 5 } })]],
  [
    "two brokers less",
    EXIT_DESTRUCTIVE,
    () => [
      synthesis({ ...laptop, kafka: { brokers: 5 } }),
      synthesis({ ...laptop, kafka: { brokers: 3 } }),
    ],
  ],
  [
    "other controllers, which a running cluster cannot have",
    EXIT_DESTRUCTIVE,
    () => [BASE, synthesis({ ...laptop, kafka: { brokers: 5, controllers: 5 } })],
  ],
  [
    "one more OpenSearch node",
    EXIT_CHANGES,
    () => [BASE, synthesis({ ...laptop, openSearch: { ...laptop.openSearch, nodes: 4 } })],
  ],
  [
    "one OpenSearch node less",
    EXIT_DESTRUCTIVE,
    () => [synthesis({ ...laptop, openSearch: { ...laptop.openSearch, nodes: 4 } }), BASE],
  ],
  [
    "more memory, which the JVMs' heap follows",
    EXIT_DESTRUCTIVE,
    () => [BASE, synthesis({ ...laptop, memoryScale: 1 })],
  ],
  [
    "one container's memory",
    EXIT_CHANGES,
    () => [
      BASE,
      edited(({ "laptop-observability": stack }) => {
        for (const body of Object.values<Json>(stack.resource.docker_container)) {
          if (body.name === "loki") {
            Object.assign(body, { memory: 2048, memory_swap: 2048, memory_reservation: 1024 });
          }
        }
      }),
    ],
  ],
  [
    "another image of Kafka",
    EXIT_DESTRUCTIVE,
    () => [BASE, edited((stacks) => setImage(stacks, "apache/kafka:4.3.1", "apache/kafka:4.4.0"))],
  ],
  [
    "another image of Grafana",
    EXIT_CHANGES,
    () => [
      BASE,
      edited((stacks) => setImage(stacks, "grafana/grafana:13.1.0", "grafana/grafana:13.1.1")),
    ],
  ],
]);
