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
import type { IDataVolume } from "../storage/data-volume";
import { escapeTemplate, type SecretFile, type UploadedFile, type UploadedProgram } from "./file";
import { type HealthCheck, renderDuration, resolveHealthCheck } from "./health-check";
import { type Memory, type MemoryTier, memoryOf, validateMemory } from "./memory";
import type { ServiceImage } from "./service-image";
import { renderLabels, serviceSettingsOf, settingsLabels } from "./settings";
import { validate } from "./validation";

/** A port of the container on the host's loopback address, and nowhere else. */
export interface LoopbackPort {
  /** Port that the service listens on. */
  readonly containerPort: number;
  /** Port on 127.0.0.1 of the host. */
  readonly hostPort: number;
}

export interface Ulimit {
  /** Name as in `docker run --ulimit`, such as `nofile`. */
  readonly name: string;
  /** The limit in force, which a process may raise up to the hard one; -1 is none. */
  readonly soft: number;
  /** The most that a process may ask for; -1 is none. */
  readonly hard: number;
}

export interface ServiceContainerProps {
  /** Name of the container, and its host name on every network that it joins. */
  readonly name: string;

  /** What the container runs. */
  readonly image: ServiceImage;

  /** Row of the memory table that the container draws from. */
  readonly tier: MemoryTier;

  /**
   * What the container may use and what is kept free for it.
   *
   * @default - the tier's, at the scale of the environment
   */
  readonly memory?: Memory;

  /** Networks that the container joins, and no others. Published ports go through the first one. */
  readonly networks: readonly INetwork[];

  /**
   * How the engine finds out that a long-running service works. A deploy waits until it does.
   *
   * @default - a one-shot job: a deploy waits until it has exited and fails, leaving it to be rerun, when the exit code is not 0
   */
  readonly healthCheck?: HealthCheck;

  /**
   * Program that the container starts, with its first arguments.
   *
   * @default - the image's
   */
  readonly entrypoint?: readonly string[];

  /**
   * Arguments to the entrypoint.
   *
   * @default - the image's
   */
  readonly command?: readonly string[];

  /**
   * Name or number of the user, and after a colon of the group, that the processes run as.
   *
   * @default - the image's
   */
  readonly user?: string;

  /**
   * Environment variables by name.
   *
   * @default - no variables beyond the image's
   */
  readonly env?: Readonly<Record<string, string>>;

  /**
   * Files that are in the container before it starts; another content makes another container.
   *
   * @default - no files beyond the image's
   */
  readonly files?: readonly (UploadedFile | UploadedProgram)[];

  /**
   * Secrets that are in the container before it starts.
   *
   * @default - no secrets
   */
  readonly secrets?: readonly SecretFile[];

  /**
   * Data volumes by the absolute path at which the container sees them.
   *
   * @default - no volumes
   */
  readonly volumes?: Readonly<Record<string, IDataVolume>>;

  /**
   * Paths of the engine's host that the container reads, by the absolute path at which it sees them; they are mounted read-only.
   * The engine's socket gives full control of the host all the same.
   *
   * @default - none
   */
  readonly hostPaths?: Readonly<Record<string, string>>;

  /**
   * In-memory file systems: absolute path to mount options, such as `size=16m,mode=1777`. Their content counts as the
   * container's memory.
   *
   * @default - none
   */
  readonly tmpfs?: Readonly<Record<string, string>>;

  /**
   * Ports of the container on the host's loopback address.
   *
   * @default - nothing is published on the host
   */
  readonly ports?: readonly LoopbackPort[];

  /**
   * Limits of the container's processes.
   *
   * @default - the engine's
   */
  readonly ulimits?: readonly Ulimit[];

  /**
   * Capabilities that the service is proven to need, in the engine's spelling, such as `CAP_CHOWN`; all others are dropped.
   *
   * @default - none
   */
  readonly capabilities?: readonly string[];

  /**
   * Seconds between asking the service to stop and killing it.
   *
   * @default 30
   */
  readonly stopGracePeriodSeconds?: number;

  /**
   * Port on which the service has Prometheus' metrics at `/metrics`, in the label `groundwork.metrics.port` by which Alloy finds it.
   *
   * @default - it has none
   */
  readonly metricsPort?: number;

  /**
   * Name of the cluster that the container is a node of, in the label `groundwork.cluster`. On every network it is a host name of
   * all nodes together: it leads to one of those that run.
   *
   * @default - it stands alone
   */
  readonly cluster?: string;

  /**
   * Whether it speaks TLS, in the label `groundwork.security`. Others reach it by names that certificates are for: `hostNameOn` each network.
   *
   * @default false
   */
  readonly isSecured?: boolean;

  /**
   * What has to be in place first: a service is when it is healthy. For one of another stack it is enough that this stack comes after that.
   *
   * @default - nothing
   */
  readonly dependsOn?: readonly ServiceContainer[];
}

/** Who writes to a container's log and how long it is kept: three files of 10 MB. */
const LOGGING = { logDriver: "json-file", logOpts: { "max-size": "10m", "max-file": "3" } };

/**
 * Exactly one container with the defaults that every service here shares: memory by tier, hardening, log rotation, labels.
 * The single place that knows the provider's container resource.
 */
export class ServiceContainer extends Construct {
  /** Every container that is declared in the scope's app by now. */
  static allIn(scope: Construct): ServiceContainer[] {
    return scope.node.root.node
      .findAll()
      .filter((construct) => construct instanceof ServiceContainer);
  }

  readonly name: string;
  readonly memory: Memory;

  /** `service` for one that runs on, `init` for a one-shot job; the value of the label `groundwork.role`. */
  readonly role: "service" | "init";

  /** What other resources wait for. */
  readonly dependable: ITerraformDependable;

  constructor(scope: Construct, id: string, props: ServiceContainerProps) {
    super(scope, id);
    this.name = props.name;
    this.memory = props.memory ?? memoryOf(this, props.tier);
    this.role = props.healthCheck ? "service" : "init";
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
      // Without an explicit mode every plan replaces the container (kreuzwerker/terraform-provider-docker#603). The
      // container joins the networks named here, not the default bridge.
      networkMode: "bridge",
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
      // Equal to memory: no swap. Left out, the engine fills in twice the memory and every plan shows a difference.
      memorySwap: this.memory.limitMiB,
      securityOpts: [
        "no-new-privileges:true",
        // SELinux lets no container at the host's files, the engine's socket among them.
        ...(props.hostPaths && Object.keys(props.hostPaths).length > 0 ? ["label=disable"] : []),
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
          ...(props.metricsPort && { "groundwork.metrics.port": String(props.metricsPort) }),
        }),
      ],
      ...(props.healthCheck ? renderService(props, props.healthCheck) : renderJob()),
      dependsOn: dependenciesOf(this, props),
    });
    // The bindings are generated from provider 3.6.2, which did not have it; useDockerProvider pins one that does.
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

/** What Terraform has to make first, of the container's own stack: another stack is deployed before as a whole. */
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
  { name, cluster, isSecured }: ServiceContainerProps,
  network: INetwork,
): string[] | undefined {
  const aliases = [
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
    // Without it the provider kills the container at once.
    destroyGraceSeconds: graceSeconds,
  };
}

/** A container that runs to its end during the deploy. */
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
 * Shows a job's log and fails the deploy unless it exited with 0. A postcondition on the exit code would fail every later
 * plan too; a failing creation provisioner taints the container instead, so that the next deploy runs it again. Both
 * commands mean the same in sh and in cmd.exe. Raw, since the bindings have no `on_failure`.
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

function renderMounts({ volumes = {}, hostPaths = {} }: ServiceContainerProps): ContainerVolumes[] {
  return [
    ...Object.entries(volumes).map(([containerPath, { name }]) => ({
      containerPath,
      volumeName: name,
    })),
    ...Object.entries(hostPaths).map(([containerPath, hostPath]) => ({
      containerPath,
      hostPath,
      readOnly: true,
    })),
  ];
}

function renderEnv(env: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${escapeLiteral(value)}`);
}

/** A value that cdktf or Terraform is to compute, such as a variable's, stays an expression. */
function escapeLiteral(value: string): string {
  return Token.isUnresolved(value) ? value : escapeTemplate(value);
}

/**
 * The engine publishes ports through the network whose name sorts first, so that has to be the one that the caller means.
 * (https://docs.docker.com/engine/network/#connecting-to-multiple-networks)
 */
function validateGateway(scope: Construct, { ports = [], networks }: ServiceContainerProps): void {
  const names = networks
    .filter(({ publishesPorts }) => publishesPorts !== false)
    .map(({ name }) => name);
  const gateway = [...names].sort()[0];
  validate(
    ports.length === 0 || names[0] === gateway,
    () =>
      `host ports are to be published through network "${names[0]}", but the engine uses the one that sorts first, "${gateway}": rename one of them`,
    scope,
  );
}
