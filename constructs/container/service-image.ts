import { Image } from "@cdktf/provider-docker/lib/image";
import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { useDockerProvider } from "./docker-provider";
import { pinnedTag } from "./image-reference";
import { validate } from "./validation";

/** An image. It is pulled if the Docker engine does not have it, and kept when the stack is destroyed. */
export class ServiceImage extends Construct {
  /** Returns the image from the scope's stack, or creates it. All containers of a stack share it. */
  static of(scope: Construct, reference: string): ServiceImage {
    const stack = TerraformStack.of(scope);
    const id = `image-${reference.replace(/:[^:/]*$/, "").replaceAll(/[/:]/g, "-")}`;
    const existing = stack.node.tryFindChild(id) as ServiceImage | undefined;
    validate(
      existing === undefined || existing.reference === reference,
      () =>
        `image "${reference}" conflicts with "${existing?.reference}": a stack has one version of an image; use the same version or another stack`,
      scope,
    );
    return existing ?? new ServiceImage(stack, id, reference);
  }

  /** The version. */
  readonly tag: string;

  /** The image ID, known at apply. */
  readonly imageId: string;

  private constructor(
    scope: Construct,
    id: string,
    readonly reference: string,
  ) {
    super(scope, id);
    const tag = pinnedTag(reference);
    validate(
      tag !== undefined,
      () => `image "${reference}" has no pinned version: add a tag, such as "apache/kafka:4.3.1"`,
      this,
    );
    this.tag = tag;
    useDockerProvider(this);
    this.imageId = new Image(this, "Resource", { name: reference, keepLocally: true }).imageId;
  }
}
