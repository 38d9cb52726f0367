import { votersOf } from "../../environments";
import type { Change } from "../changes/change";
import { describeFixedControllers } from "../changes/roll";
import type { Run } from "../run/run";
import { fileOf } from "../synthesis/environment";
import { existsVolume } from "../volumes/exists";
import { isUnused } from "../volumes/measure";

/**
 * Describes why controllers cannot start beside the only one that has data, as after `npm run down` of a cluster with one controller: the
 * empty ones are a majority, and would begin with empty metadata. While a container exists, its variables tell the controllers.
 */
export async function describeEmptyControllers(
  { platform }: Run,
  changes: readonly Change[],
): Promise<string[]> {
  const { environment } = platform;
  const voters = votersOf(environment, "kafka");
  const starts = (name: string) =>
    changes.some(({ action, node }) => action === "create" && node?.name === name);
  if (voters.length === 1 || !voters.every(starts)) {
    return [];
  }
  const [first, ...others] = voters;
  const hasVolume = (name: string) => existsVolume(`${name}-data`, platform.engineOf(name));
  if (!(await hasVolume(first)) || (await Promise.all(others.map(hasVolume))).some(Boolean)) {
    return [];
  }
  if (await isUnused(platform.engineOf(first), `${first}-data`)) {
    return [];
  }
  const refusal = describeFixedControllers(
    1,
    `environment "${environment.name}" in ${fileOf(environment.name)}`,
  );
  return [
    environment.machines
      ? `${refusal}. If it had ${voters.length}, copy the volumes of the others to their machines first, as docs/how-to/machines.md describes`
      : refusal,
  ];
}
