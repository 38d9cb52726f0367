import { GRAFANA_IMAGE, KAFKA_IMAGE, OPENSEARCH_IMAGE } from "../../constructs";
import { laptop } from "../../environments/laptop";
import { container, envOf, resources, synthesize } from "../support/platform";

const imagesOf = (environment: typeof laptop): string[] =>
  resources(synthesize(environment).stacks, "docker_image").map(({ name }) => name);

test("an environment chooses the images of its services, and every container of a service has it", () => {
  const images = imagesOf({
    ...laptop,
    kafka: { ...laptop.kafka, image: "registry.example/kafka:4.2.0" },
    openSearch: { ...laptop.openSearch, image: "opensearchproject/opensearch:3.7.0" },
    grafana: { ...laptop.grafana, image: "grafana/grafana:12.4.0" },
  });
  expect(images).toEqual(
    expect.arrayContaining([
      ...["registry.example/kafka:4.2.0", "opensearchproject/opensearch:3.7.0"],
      "grafana/grafana:12.4.0",
    ]),
  );
  for (const tried of [KAFKA_IMAGE, OPENSEARCH_IMAGE, GRAFANA_IMAGE]) {
    expect(images).not.toContain(tried);
  }
});

test.each(["4.2.1", "4.2.1-patched", "v4.2.1"])(
  "Alloy knows the version of Kafka without what follows it in the tag %s",
  (tag) => {
    const kafka = { ...laptop.kafka, image: `registry.example/kafka:${tag}` };
    const { stacks } = synthesize({ ...laptop, kafka });
    expect(envOf(container(stacks, "alloy")).KAFKA_VERSION).toBe("4.2.1");
  },
);

test("services have the image that Groundwork was tried with by default", () => {
  expect(imagesOf(laptop)).toEqual(
    expect.arrayContaining([KAFKA_IMAGE, OPENSEARCH_IMAGE, GRAFANA_IMAGE]),
  );
});
