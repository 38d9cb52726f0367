import { imageVersion } from "../../constructs/container/image-reference";
import { askEngine } from "../engine/docker";
import { jsonIn } from "../platform/open-search-answer";
import type { Platform } from "../platform/platform";

/** The time of a container that never started. */
const NEVER = /^0001-/;

/**
 * Returns the versions with which the containers of these nodes were started, whether they run or not. Without nodes that have no container,
 * or an image without a version in its tags.
 */
export async function startedVersions(
  platform: Platform,
  nodes: readonly string[],
): Promise<[name: string, version: string][]> {
  const versions = await Promise.all(nodes.map((node) => startedVersion(platform, node)));
  return nodes.flatMap((node, i): [string, string][] => {
    const version = versions[i];
    return version === undefined ? [] : [[node, version]];
  });
}

async function startedVersion(platform: Platform, node: string): Promise<string | undefined> {
  const engine = platform.engineOf(node);
  const container = await askEngine(
    engine,
    ...["container", "inspect", "--format", "{{.Image}} {{.State.StartedAt}}", node],
  );
  const [image, startedAt = ""] = container.output.split(" ");
  if (container.exitCode !== 0 || NEVER.test(startedAt)) {
    return undefined;
  }
  // Terraform starts containers by the image's ID.
  const { exitCode, output } = await askEngine(
    engine,
    ...["image", "inspect", "--format", "{{json .RepoTags}}", image],
  );
  const tags: readonly string[] = (exitCode === 0 && jsonIn(output)) || [];
  return tags.flatMap((tag) => imageVersion(tag) ?? [])[0];
}
