import type { IConstruct } from "constructs";
import { validate } from "./validation";

/** What an environment decides for every container below a scope. */
export interface ServiceSettings {
  /** The environment's name, in the label `groundwork.environment` of everything below the scope. */
  readonly environment: string;

  /** The part of the platform, in the label `groundwork.stack` of everything below the scope. */
  readonly stack: string;

  /**
   * The machine that the containers are on, in the label `groundwork.machine`.
   *
   * @default - there is but one
   */
  readonly machine?: string;

  /**
   * Where the engine of the containers is reached, as in DOCKER_HOST.
   *
   * @default - as the docker command finds it
   */
  readonly engine?: string;

  /**
   * Path of the engine's socket on its own host, for the containers that watch the others.
   *
   * @default "/var/run/docker.sock"
   */
  readonly engineSocket?: string;

  /**
   * Factor on the table of memory tiers, so that the whole platform grows or shrinks together.
   *
   * @default 1
   */
  readonly memoryScale?: number;
}

const CONTEXT_KEY = "groundwork";
const DEFAULTS: ServiceSettings = { environment: "default", stack: "default" };

/** Applies settings to all containers that will be declared below the scope; call it before adding children. */
export function applyServiceSettings(scope: IConstruct, settings: ServiceSettings): void {
  const scale = settings.memoryScale ?? 1;
  validate(
    scale >= 0.5 && scale <= 16,
    () =>
      `memoryScale is ${scale}: allowed is 0.5 to 16, below that the services do not start with their tier's share`,
    scope,
  );
  scope.node.setContext(CONTEXT_KEY, settings);
}

export function serviceSettingsOf(scope: IConstruct): ServiceSettings {
  return scope.node.tryGetContext(CONTEXT_KEY) ?? DEFAULTS;
}

/** Labels that every container, network and volume of the scope's environment carries. */
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
