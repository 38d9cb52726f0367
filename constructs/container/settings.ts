import type { IConstruct } from "constructs";
import { validate } from "./validation";

/** The settings of an environment for all containers below a scope. */
export interface ServiceSettings {
  /** The name of the environment, for the label `groundwork.environment`. */
  readonly environment: string;

  /** The part of the platform, for the label `groundwork.stack`. */
  readonly stack: string;

  /**
   * The machine of the containers, for the label `groundwork.machine`.
   *
   * @default - the environment has one machine and no label is set
   */
  readonly machine?: string;

  /**
   * The address of the Docker engine, as in DOCKER_HOST.
   *
   * @default - the engine of the docker command
   */
  readonly engine?: string;

  /**
   * The path of the Docker socket on the engine's host, for containers that monitor the others.
   *
   * @default "/var/run/docker.sock"
   */
  readonly engineSocket?: string;

  /**
   * The factor for the memory tiers, from 0.5 to 16.
   *
   * @default 1
   */
  readonly memoryScale?: number;
}

const CONTEXT_KEY = "groundwork";
const DEFAULTS: ServiceSettings = { environment: "default", stack: "default" };

/** Applies settings to all containers below the scope. Call it before you add children. */
export function applyServiceSettings(scope: IConstruct, settings: ServiceSettings): void {
  const scale = settings.memoryScale ?? 1;
  validate(
    scale >= 0.5 && scale <= 16,
    () =>
      `memoryScale is ${scale}: it must be from 0.5 to 16, since services do not start with less memory`,
    scope,
  );
  scope.node.setContext(CONTEXT_KEY, settings);
}

export function serviceSettingsOf(scope: IConstruct): ServiceSettings {
  return scope.node.tryGetContext(CONTEXT_KEY) ?? DEFAULTS;
}

/** Returns the labels of every container, network and volume of the scope's environment. */
export function settingsLabels(scope: IConstruct): { label: string; value: string }[] {
  const { environment, stack, machine } = serviceSettingsOf(scope);
  return renderLabels({
    "groundwork.environment": environment,
    "groundwork.stack": stack,
    ...(machine && { "groundwork.machine": machine }),
  });
}

export function renderLabels(
  labels: Readonly<Record<string, string>>,
): { label: string; value: string }[] {
  return Object.entries(labels).map(([label, value]) => ({ label, value }));
}
