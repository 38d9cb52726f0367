import { basename } from "node:path";
import {
  Container,
  type ContainerConfig,
  type ContainerUpload,
  type ContainerVolumes,
} from "@cdktf/provider-docker/lib/container";
import {
  AssetType,
  Fn,
  type ITerraformDependable,
  TerraformAsset,
  TerraformStack,
  Token,
} from "cdktf";
import { Construct } from "constructs";
import { hostNameOn } from "../network/host-name";
import type { INetwork } from "../network/network";
import { GENERATION_LABEL } from "../security/security";
import type { IDataVolume } from "../storage/data-volume";
import { escapeTemplate, type SecretFile, type UploadedFile, type UploadedProgram } from "./file";
import { type HealthCheck, renderDuration, resolveHealthCheck } from "./health-check";
import { type Memory, type MemoryTier, memoryOf, validateMemory } from "./memory";
import type { ServiceImage } from "./service-image";
import { renderLabels, serviceSettingsOf, settingsLabels } from "./settings";
import { validate } from "./validation";

/** A port of the container that is published on the host's loopback address only. */
export interface LoopbackPort {
  /** The port that the service listens on. */
  readonly containerPort: number;
  /** The port on 127.0.0.1 of the host. */
  readonly hostPort: number;
}

export interface Ulimit {
  /** The name as in `docker run --ulimit`, such as `nofile`. */
  readonly name: string;
  /** The limit that applies. A process may raise it up to the hard limit. -1 is unlimited. */
  readonly soft: number;
  /** The maximum that a process may set. -1 is unlimited. */
  readonly hard: number;
}

export interface ServiceContainerProps {
  /** The name of the container, and its host name on every network. */
  readonly name: string;

  /** The image. */
  readonly image: ServiceImage;

  /** The memory tier. */
  readonly tier: MemoryTier;

  /**
   * The memory limit and reservation.
   *
   * @default - those of the tier, at the scale of the environment
   */
  readonly memory?: Memory;

  /** The networks of the container. The first one publishes the ports. Without any, it has only its loopback address. */
  readonly networks: readonly INetwork[];

  /**
   * Further host names on a network, by the network's name.
   *
   * @default - none
   */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;

  /**
   * The health check of a long-running service. A deploy waits until it succeeds.
   *
   * @default - a one-shot job: a deploy waits until it exits, and fails if the exit code is not 0; the next deploy runs the job again
   */
  readonly healthCheck?: HealthCheck;

  /**
   * The program that the container starts, with its first arguments.
   *
   * @default - the image's
   */
  readonly entrypoint?: readonly string[];

  /**
   * The arguments of the entrypoint.
   *
   * @default - the image's
   */
  readonly command?: readonly string[];

  /**
   * The user of the processes by name or number, optionally followed by a colon and the group.
   *
   * @default - the image's
   */
  readonly user?: string;

  /**
   * Environment variables by name.
   *
   * @default - only the image's
   */
  readonly env?: Readonly<Record<string, string>>;

  /**
   * Files that are copied into the container before it starts. Changing their content replaces the container.
   *
   * @default - only the image's
   */
  readonly files?: readonly (UploadedFile | UploadedProgram)[];

  /**
   * Secrets that are copied into the container before it starts.
   *
   * @default - no secrets
   */
  readonly secrets?: readonly SecretFile[];

  /**
   * Data volumes by absolute mount path in the container.
   *
   * @default - no volumes
   */
  readonly volumes?: Readonly<Record<string, IDataVolume>>;

  /**
   * Paths on the engine's host by absolute mount path in the container. They are mounted read-only. The Docker socket nevertheless gives
   * full control of the host.
   *
   * @default - none
   */
  readonly hostPaths?: Readonly<Record<string, string>>;

  /**
   * The same, mounted writable, for storage that the host mounts.
   *
   * @default - none
   */
  readonly writableHostPaths?: Readonly<Record<string, string>>;

  /**
   * In-memory file systems: mount options, such as `size=16m,mode=1777`, by absolute path. Their content counts towards the container's
   * memory.
   *
   * @default - none
   */
  readonly tmpfs?: Readonly<Record<string, string>>;

  /**
   * Ports that are published on the host's loopback address.
   *
   * @default - nothing is published on the host
   */
  readonly ports?: readonly LoopbackPort[];

  /**
   * The resource limits of the container's processes.
   *
   * @default - the engine's
   */
  readonly ulimits?: readonly Ulimit[];

  /**
   * The Linux capabilities that the service needs, such as `CAP_CHOWN`. All others are dropped.
   *
   * @default - none
   */
  readonly capabilities?: readonly string[];

  /**
   * Seconds between the stop signal and the kill.
   *
   * @default 30
   */
  readonly stopGracePeriodSeconds?: number;

  /**
   * The port that serves Prometheus metrics at `/metrics`. Alloy finds it by the label `groundwork.metrics.port`.
   *
   * @default - no metrics
   */
  readonly metricsPort?: number;

  /**
   * The cluster of which the container is a node, for the label `groundwork.cluster`. On every network it is a host name that resolves
   * to the running nodes.
   *
   * @default - not a node of a cluster
   */
  readonly cluster?: string;

  /**
   * Whether TLS is enabled, for the label `groundwork.security`. Clients must use the host names in its certificate, which `hostNameOn` returns for each network.
   *
   * @default false
   */
  readonly isSecured?: boolean;

  /**
   * The generation of the secrets with which the container is created, for the label `groundwork.secrets-generation`. A change of labels alone
   * does not replace this container.
   *
   * @default - no label
   */
  readonly secretsGeneration?: string;

  /**
   * The containers that must be healthy first. A container in another stack counts as ready if that stack is deployed before this one.
   *
   * @default - none
   */
  readonly dependsOn?: readonly ServiceContainer[];
}

/** Log rotation: three files of 10 MB. */
const LOGGING = { logDriver: "json-file", logOpts: { "max-size": "10m", "max-file": "3" } };

/**
 * One container with the shared defaults: memory by tier, hardening, log rotation, labels. No other construct uses the provider's
 * container resource.
 */
export class ServiceContainer extends Construct {
  /** Returns all containers that are declared so far in the scope's app. */
  static allIn(scope: Construct): ServiceContainer[] {
    return scope.node.root.node
      .findAll()
      .filter((construct) => construct instanceof ServiceContainer);
  }

  readonly name: string;
  readonly memory: Memory;

  /** `service` for a long-running service, `init` for a one-shot job. The value of the label `groundwork.role`. */
  readonly role: "service" | "init";

  /** Whether Alloy scrapes its metrics. */
  readonly hasMetrics: boolean;

  /** The Terraform resource that others depend on. */
  readonly dependable: ITerraformDependable;

  constructor(scope: Construct, id: string, props: ServiceContainerProps) {
    super(scope, id);
    this.name = props.name;
    this.memory = props.memory ?? memoryOf(this, props.tier);
    this.role = props.healthCheck ? "service" : "init";
    this.hasMetrics = props.metricsPort !== undefined;
    validateMemory(this, this.memory);
    validateGateway(this, props);

    const container = new Container(this, "Resource", {
      name: props.name,
      image: props.image.imageId,
      init: true,
      entrypoint: props.entrypoint && [...props.entrypoint],
      command: props.command && [...props.command],
      user: props.user,
      env: renderEnv(props.env),
      upload: [
        ...(props.files ?? []).map((file) => renderUpload(this, file)),
        ...(props.secrets ?? []).map(({ path, source, readableBy }) => ({
          file: path,
          source,
          sourceHash: Fn.filesha256(source),
          permissions: readableBy === "everyone" ? "0444" : "0440",
        })),
      ],
      volumes: renderMounts(props),
      tmpfs: props.tmpfs && { ...props.tmpfs },
      // Without a mode every plan replaces the container (kreuzwerker/terraform-provider-docker#603). The container joins only
      // the networks below, not the default bridge.
      networkMode: props.networks.length > 0 ? "bridge" : "none",
      networksAdvanced: props.networks.map((network) => ({
        name: network.name,
        aliases: renderAliases(props, network),
      })),
      ports: (props.ports ?? []).map(({ containerPort, hostPort }) => ({
        internal: containerPort,
        external: hostPort,
        ip: "127.0.0.1",
      })),
      ulimit: props.ulimits && [...props.ulimits],
      memory: this.memory.limitMiB,
      // No swap. If unset, the Docker engine sets twice the memory and every plan shows a difference.
      memorySwap: this.memory.limitMiB,
      securityOpts: [
        "no-new-privileges:true",
        // SELinux denies containers the host's files, including the Docker socket.
        ...(mountsHost(props) ? ["label=disable"] : []),
        // And the files of a job, which are for another container, unless they have no category.
        ...(!props.healthCheck && props.volumes ? ["label=level:s0"] : []),
      ],
      capabilities: { drop: ["ALL"], add: props.capabilities && [...props.capabilities] },
      ...LOGGING,
      labels: [
        ...settingsLabels(this),
        ...renderLabels({
          "groundwork.service": props.name,
          "groundwork.role": this.role,
          ...(props.cluster && { "groundwork.cluster": props.cluster }),
          ...(props.isSecured && { "groundwork.security": "tls" }),
          ...(props.secretsGeneration !== undefined && {
            [GENERATION_LABEL]: props.secretsGeneration,
          }),
          ...(props.metricsPort && { "groundwork.metrics.port": String(props.metricsPort) }),
        }),
      ],
      ...(props.healthCheck ? renderService(props, props.healthCheck) : renderJob()),
      dependsOn: dependenciesOf(this, props),
      lifecycle: props.secretsGeneration === undefined ? undefined : { ignoreChanges: ["labels"] },
    });
    // The bindings are generated from provider 3.6.2, which lacks it. useDockerProvider pins a version that has it.
    container.addOverride("memory_reservation", this.memory.reservationMiB);
    if (!props.healthCheck) {
      container.addOverride(
        "provisioner",
        renderExitGate(props.name, serviceSettingsOf(this).engine),
      );
    }
    this.dependable = container;
  }
}

/** Returns the dependencies in the container's own stack. Other stacks are deployed before it as a whole. */
function dependenciesOf(
  scope: Construct,
  { dependsOn, networks, volumes = {} }: ServiceContainerProps,
): ITerraformDependable[] | undefined {
  const dependables = [...(dependsOn ?? []), ...networks, ...Object.values(volumes)]
    .flatMap(({ dependable }) => dependable ?? [])
    .filter(
      (dependable) =>
        Construct.isConstruct(dependable) &&
        TerraformStack.of(dependable) === TerraformStack.of(scope),
    );
  return dependsOn || dependables.length > 0 ? dependables : undefined;
}

function renderAliases(
  { name, cluster, isSecured, aliases: further = {} }: ServiceContainerProps,
  network: INetwork,
): string[] | undefined {
  const aliases = [
    ...(further[network.name] ?? []),
    ...(cluster ? [cluster] : []),
    ...(isSecured ? [hostNameOn(network, name)] : []),
  ];
  return aliases.length > 0 ? aliases : undefined;
}

function renderService(
  props: ServiceContainerProps,
  healthCheck: HealthCheck,
): Partial<ContainerConfig> {
  const check = resolveHealthCheck(healthCheck);
  const graceSeconds = props.stopGracePeriodSeconds ?? 30;
  return {
    restart: "unless-stopped",
    mustRun: true,
    wait: true,
    waitTimeout: check.startPeriodSeconds,
    healthcheck: {
      test: ["CMD", ...check.command],
      interval: renderDuration(check.intervalSeconds),
      timeout: renderDuration(check.timeoutSeconds),
      startPeriod: renderDuration(check.startPeriodSeconds),
      retries: check.retries,
    },
    stopTimeout: graceSeconds,
    // Without it the provider kills the container immediately.
    destroyGraceSeconds: graceSeconds,
  };
}

/** Settings of a container that runs and exits during the deploy. */
function renderJob(): Partial<ContainerConfig> {
  return {
    restart: "no",
    mustRun: false,
    attach: true,
    logs: true,
    rm: false,
  };
}

/**
 * Prints a job's log and fails the deploy unless the job exits with 0. A failed provisioner taints the container, so that the next
 * deploy runs it again. A postcondition would fail every later plan. Both commands work in sh and cmd.exe. Raw, since the bindings
 * lack `on_failure`.
 */
function renderExitGate(name: string, engine?: string): object[] {
  const environment = engine && { DOCKER_HOST: engine };
  return [
    {
      "local-exec": {
        command: `docker logs --tail 20 ${name}`,
        environment,
        on_failure: "continue",
      },
    },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own reference
    { "local-exec": { command: "exit ${self.exit_code}" } },
  ];
}

function renderUpload(scope: Construct, file: UploadedFile | UploadedProgram): ContainerUpload {
  if ("content" in file) {
    return { file: file.path, content: escapeLiteral(file.content) };
  }
  const { source } = file;
  const asset = new TerraformAsset(scope, basename(source), { path: source, type: AssetType.FILE });
  return { file: file.path, source: asset.path, sourceHash: asset.assetHash };
}

function mountsHost({ hostPaths, writableHostPaths }: ServiceContainerProps): boolean {
  return Object.keys({ ...hostPaths, ...writableHostPaths }).length > 0;
}

function renderMounts({
  volumes = {},
  hostPaths = {},
  writableHostPaths = {},
}: ServiceContainerProps): ContainerVolumes[] {
  return [
    ...Object.entries(volumes).map(([containerPath, { name, readOnly }]) => ({
      containerPath,
      volumeName: name,
      readOnly,
    })),
    ...Object.entries(hostPaths).map(([containerPath, hostPath]) => ({
      containerPath,
      hostPath,
      readOnly: true,
    })),
    ...Object.entries(writableHostPaths).map(([containerPath, hostPath]) => ({
      containerPath,
      hostPath,
    })),
  ];
}

function renderEnv(env: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${escapeLiteral(value)}`);
}

/** Escapes literals only. A value that CDKTF or Terraform computes stays an expression. */
function escapeLiteral(value: string): string {
  return Token.isUnresolved(value) ? value : escapeTemplate(value);
}

/**
 * Throws unless the first network's name sorts first. The Docker engine publishes ports through that network
 * (https://docs.docker.com/engine/network/#connecting-to-multiple-networks).
 */
function validateGateway(scope: Construct, { ports = [], networks }: ServiceContainerProps): void {
  const names = networks
    .filter(({ publishesPorts }) => publishesPorts !== false)
    .map(({ name }) => name);
  const gateway = [...names].sort()[0];
  validate(
    ports.length === 0 || names[0] === gateway,
    () =>
      `Docker publishes host ports through the network whose name sorts first, "${gateway}", instead of "${names[0]}": rename one of them`,
    scope,
  );
}
