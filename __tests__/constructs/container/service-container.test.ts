import { ServiceContainer, ServiceImage } from "../../../constructs";
import { networks, testStack } from "../../support/stack";

describe("a service container", () => {
  const declare = (overrides: object) => {
    const scope = testStack();
    const { infraNetwork, projectNetwork } = networks(scope);
    return new ServiceContainer(scope, "web", {
      name: "web",
      image: ServiceImage.of(scope, "web:1.0.0"),
      tier: "small",
      networks: [infraNetwork, projectNetwork],
      healthCheck: { command: ["true"] },
      ...overrides,
    });
  };

  test("fails if its ports would be published through the wrong network", () => {
    expect(() =>
      declare({
        networks: [{ name: "z_net" }, { name: "a_net" }],
        ports: [{ containerPort: 80, hostPort: 80 }],
      }),
    ).toThrow(
      'Docker publishes host ports through the network whose name sorts first, "a_net", instead of "z_net": rename one of them (at test/web)',
    );
  });

  test.each(["web", "web:latest", "registry:5000/web"])(
    "fails with the unpinned image %s",
    (reference) => {
      expect(() => ServiceImage.of(testStack(), reference)).toThrow(
        `image "${reference}" has no pinned version: add a tag, such as "apache/kafka:4.3.1"`,
      );
    },
  );

  test("shares one image resource with the other containers of its stack", () => {
    const scope = testStack();
    expect(ServiceImage.of(scope, "web:1.0.0")).toBe(ServiceImage.of(scope, "web:1.0.0"));
    const [web, api] = ["registry:5000/web:1", "registry:5000/api:1"];
    expect(ServiceImage.of(scope, web)).not.toBe(ServiceImage.of(scope, api));
    expect(() => ServiceImage.of(scope, "web:2.0.0")).toThrow(
      'image "web:2.0.0" conflicts with "web:1.0.0": a stack has one version of an image; use the same version or another stack (at test)',
    );
  });
});
