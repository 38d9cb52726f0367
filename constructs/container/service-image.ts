import { Image } from "@cdktf/provider-docker/lib/image";
import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { useDockerProvider } from "./docker-provider";
import { validate } from "./validation";

/** An image, pulled when the engine does not have it and kept when the stack is destroyed. */
export class ServiceImage extends Construct {
  /** The image of that name in the scope's stack; containers of one stack share it. */
  static of(scope: Construct, reference: string): ServiceImage {
    const stack = TerraformStack.of(scope);
    const id = `image-${reference.replace(/:[^:/]*$/, "").replaceAll(/[/:]/g, "-")}`;
    const existing = stack.node.tryFindChild(id) as ServiceImage | undefined;
    validate(
      existing === undefined || existing.reference === reference,
      () =>
        `image "${reference}" is declared beside "${existing?.reference}": a stack has one version of an image, so name the same one or use another stack`,
      scope,
    );
    return existing ?? new ServiceImage(stack, id, reference);
  }

  /** Its version. */
  readonly tag: string;

  /** The engine's id of the image, known at apply. */
  readonly imageId: string;

  private constructor(
    scope: Construct,
    id: string,
    readonly reference: string,
  ) {
    super(scope, id);
    const tag = reference.split("/").pop()?.split(":")[1];
    validate(
      tag !== undefined && tag !== "latest",
      () => `image "${reference}" has no pinned tag: name a version, as in "apache/kafka:4.3.1"`,
      this,
    );
    this.tag = tag;
    useDockerProvider(this);
    this.imageId = new Image(this, "Resource", { name: reference, keepLocally: true }).imageId;
  }
}
