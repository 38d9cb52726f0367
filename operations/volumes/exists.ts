import { askEngine, type Engine } from "../engine/docker";

/** Whether the engine has the volume, such as one that was copied. */
export async function existsVolume(volume: string, engine: Engine): Promise<boolean> {
  return (await askEngine(engine, "volume", "inspect", volume)).exitCode === 0;
}
