import { describeDifferences } from "../../../operations/changes/describe";

describe("an image", () => {
  const described = (before: string | undefined, after: string | undefined) => {
    const bodyOf = (name: string | undefined) => (name === undefined ? undefined : { name });
    const image = { stack: "messaging", type: "docker_image", id: "kafka" };
    const [{ subject, details }] = describeDifferences([
      { ...image, before: bodyOf(before), after: bodyOf(after) },
    ]);
    return [subject, ...details];
  };

  test("is shown by its repository and version", () => {
    expect(described("apache/kafka:4.2.1", "apache/kafka:4.3.1")).toEqual([
      "image apache/kafka",
      "version 4.2.1 -> 4.3.1",
    ]);
  });

  test("of a registry with a port is shown with it", () => {
    const image = "registry.example:5000/apache/kafka";
    expect(described(`${image}:4.2.1`, `${image}:4.3.1`)).toEqual([
      `image ${image}`,
      "version 4.2.1 -> 4.3.1",
    ]);
    expect(described(undefined, `${image}:4.3.1`)).toEqual([`image ${image}`, "version 4.3.1"]);
    expect(described(`${image}:4.3.1`, undefined)).toEqual([`image ${image}`, "version 4.3.1"]);
  });

  test("with a digest is shown with it, also if only the digest changes", () => {
    expect(described("kafka:4.3.1@sha256:1a", "kafka:4.3.1@sha256:2b")).toEqual([
      "image kafka",
      "version 4.3.1@sha256:1a -> 4.3.1@sha256:2b",
    ]);
    expect(described(undefined, "localhost:5000/grafana@sha256:2b")).toEqual([
      "image localhost:5000/grafana",
      "version sha256:2b",
    ]);
  });
});
