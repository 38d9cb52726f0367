import * as v from "valibot";
import { type Declared, object, record, strict } from "../constructs/container/declaration";
import { clusterImageSchema, imageSchema } from "../constructs/container/image-reference";
import { defaultVoters, nodeNames } from "../constructs/container/node-name";
import { oidcSchema, rootUrlSchema } from "../constructs/grafana/oidc";
import { smtpSchema } from "../constructs/grafana/smtp";
import { backupSchema } from "../constructs/opensearch/backup";
import type { CLUSTERS } from "../constructs/security/principals";

const WHOLE = "a whole number from 1 to 1000";

/** A number of nodes or brokers. */
const countSchema: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.integer(WHOLE),
  v.minValue(1, WHOLE),
  v.maxValue(1000, WHOLE),
);

/** A number of days or GiB. */
const quantitySchema: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.integer("a whole number of at least 1"),
  v.minValue(1, "a whole number of at least 1"),
);

const networkSchema = object({
  /** Name of the Docker network. */
  name: v.pipe(v.string(), v.nonEmpty("a name")),

  /**
   * Whether the network already exists and is managed elsewhere.
   *
   * @default false - the network is created and destroyed with the platform
   */
  adopt: v.optional(v.boolean()),
});

export type NetworkSettings = Declared<typeof networkSchema>;

const machineSchema = object({
  /** Name of the machine: lowercase letters and digits. It is part of the names of the machine's stacks, and of containers that run on every machine. */
  name: v.string(),

  /** Address of the machine's Docker engine, as in DOCKER_HOST: `ssh://user@host`, `tcp://host:2376` with TLS, or `unix:///path`. */
  engine: v.string(),

  /** IP address at which the other machines reach this one. */
  address: v.string(),
});

/** A machine with a Docker engine. */
export type Machine = Declared<typeof machineSchema>;

const stateBackendSchema = v.variant("kind", [
  strict({
    /** Files in `.state/<environment>/` on this machine. */
    kind: v.literal("local"),
  }),
  strict({
    /** Any S3 API, with a lock file beside the state. Reads AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
    kind: v.literal("s3"),
    /** Name of the bucket. */
    bucket: v.string(),
    /**
     * AWS region of the bucket.
     *
     * @default "us-east-1"
     */
    region: v.optional(v.string()),
    /** Base URL of an S3-compatible API. @default - Amazon S3 */
    endpoint: v.optional(v.string()),
  }),
  strict({
    /** A REST server, such as GitLab. Reads TF_HTTP_USERNAME and TF_HTTP_PASSWORD. */
    kind: v.literal("http"),
    /** Base URL without a trailing slash. The stack's name is appended, and `/lock` for its lock. */
    address: v.string(),
  }),
  strict({
    /** A PostgreSQL database. Reads PG_CONN_STR. */
    kind: v.literal("pg"),
  }),
  strict({
    /** Google Cloud Storage. Reads GOOGLE_APPLICATION_CREDENTIALS. */
    kind: v.literal("gcs"),
    /** Name of the bucket. */
    bucket: v.string(),
  }),
  strict({
    /** HCP Terraform or Terraform Enterprise, with execution mode "local". Reads TF_TOKEN_<host>. */
    kind: v.literal("remote"),
    /** Name of the organization. */
    organization: v.string(),
    /**
     * Host name of the service.
     *
     * @default "app.terraform.io"
     */
    hostname: v.optional(v.string()),
  }),
]);

/**
 * A Terraform backend (https://developer.hashicorp.com/terraform/language/backend). Credentials are not part of it: the backend reads
 * them from its own environment variables.
 */
export type StateBackend = Declared<typeof stateBackendSchema>;

const observabilityServiceSchema = v.picklist(["alloy", "grafana", "loki"]);

/** A service that an environment can exclude. Prometheus, the exit relay and the engine proxy always run. */
export type ObservabilityService = Declared<typeof observabilityServiceSchema>;

export const environmentSchema = object({
  /** Name of the environment: the value of `GROUNDWORK_ENV` and the folder of its Terraform state in `.state/`. */
  name: v.string(),

  /** Factor by which all memory tiers are multiplied, 0.5 to 16. */
  memoryScale: v.number(),

  /** Memory in MiB that all containers together may reserve. `npm run preview` shows how much of it is reserved. */
  memoryBudgetMiB: v.pipe(v.number(), v.minValue(1, "a number of at least 1")),

  networks: object({
    /** Network of the platform's own services. */
    infra: networkSchema,
    /** Network that applications join. */
    project: networkSchema,
    /**
     * Whether the overlay networks encrypt traffic between machines with IPsec. Adopted networks are not affected. Every machine's kernel
     * must support ESP. With `security: "tls"`, traffic is already encrypted.
     *
     * @default false
     */
    encrypted: v.optional(v.boolean()),
  }),

  /**
   * How clients connect. With `tls`, every listener is encrypted, services authenticate with certificates, and applications with
   * passwords or certificates; an application has only the permissions that it declares. With `none`, any client on the networks may connect.
   *
   * @default "none"
   */
  security: v.optional(v.picklist(["none", "tls"])),

  openSearch: object({
    /** Number of nodes: 1, or at least 3. */
    nodes: countSchema,
    /** Whether applications on the project network reach the HTTP port. Without TLS it has no authentication. */
    onProjectNetwork: v.boolean(),
    /**
     * Image of the nodes. Its tag starts with the version, such as `3.8.0` or `3.8.0-custom`, and a digest may follow. With
     * `security: "tls"`, it must have the security plugin.
     *
     * @default OPENSEARCH_IMAGE
     */
    image: v.optional(clusterImageSchema),
    /**
     * Whether the image has the index management plugin, as the official one does. `false` leaves the catalog's retention policies out, and
     * indices are kept until somebody deletes them.
     *
     * @default true
     */
    indexManagement: v.optional(v.boolean()),
    /** Whether nodes raise their limits of open files and locked memory. Set it to `false` if the Docker engine refuses that. */
    raiseUlimits: v.boolean(),
  }),

  kafka: object({
    /** Number of brokers: 1, or at least 3. */
    brokers: countSchema,

    /**
     * Number of brokers that are also controllers, which agree on the cluster's metadata: an odd number. The first brokers are. A
     * cluster that exists cannot change it, not even after `npm run down`.
     *
     * @default - 3, or 1 with one broker
     */
    controllers: v.optional(countSchema),

    /**
     * Image of the brokers and of kafka-init. Its tag starts with the version, such as `4.3.1` or `4.3.1-custom`, and a digest may follow.
     *
     * @default KAFKA_IMAGE
     */
    image: v.optional(clusterImageSchema),

    /**
     * Disk in GiB of each broker for its topics. `npm run preview` warns if the topics may take more, and names those without a limit.
     * Nothing is enforced.
     *
     * @default - unknown: no warning
     */
    diskGiB: v.optional(v.pipe(v.number(), v.minValue(1, "a number of at least 1"))),

    /**
     * Minutes after which an application's connection has to authenticate again, in a secured environment. For so long an open connection
     * survives a change of the password.
     *
     * @default 10
     */
    reauthenticationMinutes: v.optional(countSchema),
  }),

  grafana: object({
    /**
     * Source of the `admin` password. `generated` creates one if none exists, in an untracked file on this machine. `variable` expects it
     * in `TF_VAR_grafana_admin_password`. That variable takes precedence in both cases. The password has at least 5 bytes and only printable
     * characters.
     */
    adminPassword: v.picklist(["generated", "variable"]),
    /**
     * URL at which browsers reach Grafana, such as that of a proxy.
     *
     * @default - the published port on localhost
     */
    rootUrl: v.optional(rootUrlSchema),
    /**
     * Image of Grafana, with its version as the tag.
     *
     * @default GRAFANA_IMAGE
     */
    image: v.optional(imageSchema),
    /**
     * Identity provider with which people sign in. `grafana/oidc-client-secret` in the secrets folder has the client secret.
     *
     * @default - only the user `admin`, and users that it creates
     */
    oidc: v.optional(oidcSchema),
    /**
     * SMTP server for Grafana's email.
     *
     * @default - no email is sent
     */
    smtp: v.optional(smtpSchema),
  }),

  /** How long Loki keeps logs, and how many it takes. */
  loki: v.optional(
    object({
      /**
       * Days after which logs are deleted.
       *
       * @default 14
       */
      retentionDays: v.optional(quantitySchema),
      /**
       * Size in GiB of the logs that Loki takes in a day, before it compresses them. Times `retentionDays`, this is the most that it stores.
       * Loki accepts it evenly over the day, and 64 MiB at once. Lines beyond it arrive late: Alloy waits and tries them again. Lines that
       * Alloy drops, or that Docker rotates first, are missing in Grafana. The alert `LogsRefused` fires after 15 minutes.
       *
       * @default 2700 - 32 MiB per second, which only limits a container that floods Loki
       */
      ingestionGiBPerDay: v.optional(quantitySchema),
    }),
  ),

  /** How long Prometheus keeps metrics. */
  prometheus: v.optional(
    object({
      /**
       * Days after which metrics are deleted.
       *
       * @default 15
       */
      retentionDays: v.optional(quantitySchema),
      /**
       * Size in GiB of all metrics together, from which the oldest are deleted, even before `retentionDays`. The write-ahead log counts.
       *
       * @default - unlimited
       */
      retentionGiB: v.optional(quantitySchema),
    }),
  ),

  /**
   * Backups of OpenSearch: where, how often, and how many are kept. Declaring or removing it replaces the nodes, one at a time, unless the
   * repository is a bucket.
   *
   * @default - no backups
   */
  backup: v.optional(backupSchema),

  /**
   * Observability services that are not deployed, for example because their image is not available. `up` lists them.
   *
   * @default - none
   */
  excludedServices: v.optional(v.array(observabilityServiceSchema)),

  /**
   * Ports on 127.0.0.1 for Grafana and for the first node of each cluster. The other nodes use the ports that follow. With several
   * machines, a port is published on the machine of its container.
   *
   * @default - nothing is published on the host
   */
  hostPorts: v.optional(
    object({
      openSearch: v.number(),
      kafka: v.number(),
      grafana: v.number(),
    }),
  ),

  /**
   * Machines that the platform is spread over: at least 3, each with its own Docker engine, all in one Docker Swarm. Node *i* of a cluster
   * runs on machine *i*, starting again at the first machine after the last. Other containers run on the first machine.
   *
   * @default - one machine, with the Docker engine that the docker command uses
   */
  machines: v.optional(v.array(machineSchema)),

  /**
   * Path of the Docker socket on the engine's host, for the containers that monitor the others.
   *
   * @default - the socket of DOCKER_HOST if it is a `unix://` socket outside the home directory, such as that of a rootless engine;
   * otherwise `/var/run/docker.sock`. A socket in the home directory leads into a virtual machine, where the socket is `/var/run/docker.sock`.
   */
  engineSocket: v.optional(v.string()),

  /**
   * Names of machines that are unavailable. A deploy skips their containers, and the init sidecars run on other machines. To exclude a
   * machine for one deploy only, use `npm run up -- --exclude-machine <machine>`.
   *
   * @default - none
   */
  excludedMachines: v.optional(v.array(v.string())),

  /**
   * Machine by container name, such as `{ grafana: "b" }`, for containers that do not run on their default machine.
   *
   * @default - none
   */
  placement: v.optional(record(v.string())),

  /**
   * Schedule on which something else, such as the workflow `drift`, runs `npm run drift`. The alert `DriftRunMissing` fires if no run
   * compared the platform for twice as long, and at first for twice as long since the deploy that declares it.
   *
   * @default - no alert
   */
  drift: v.optional(
    object({
      /** Hours between two runs, at most half of the time for which Prometheus keeps metrics. */
      everyHours: countSchema,
    }),
  ),

  /**
   * Backend of the Terraform state: on this machine, or shared by a team.
   *
   * @default - local, in `.state/<environment>/`
   */
  state: v.optional(stateBackendSchema),
});

/** The address of a Docker engine. */
export interface EngineAddress {
  /** Address, as in DOCKER_HOST. */
  readonly host: string;

  /** Name of the Docker context that it comes from. */
  readonly context?: string;

  /**
   * TLS settings of the Docker context.
   *
   * @default - DOCKER_CERT_PATH and DOCKER_TLS_VERIFY of this process
   */
  readonly tls?: { readonly certPath: string; readonly verify: boolean };
}

/** Settings of one deployment of the platform, such as a laptop or production. */
export type Environment = Declared<typeof environmentSchema> & {
  /** Docker engine of an environment without machines. It is not declared: commands look it up when they run. */
  readonly engine?: EngineAddress;
};

/** Returns whether the environment has TLS and authentication enabled. */
export function isSecured({ security }: Environment): boolean {
  return security === "tls";
}

/** Returns those of the catalog's retention policies that apply to the environment: none without the index management plugin. */
export function retentionIn<Policy>(
  { openSearch }: Environment,
  policies: readonly Policy[],
): readonly Policy[] {
  return openSearch.indexManagement === false ? [] : policies;
}

/** A cluster, named by the prefix of its containers' names. */
export type ClusterName = (typeof CLUSTERS)[number];

/** Returns the container names of all nodes of a cluster. */
export function nodesOf({ kafka, openSearch }: Environment, cluster: ClusterName): string[] {
  const count = cluster === "kafka" ? kafka.brokers : openSearch.nodes;
  return nodeNames(cluster, count);
}

/** Returns the container names of the nodes that vote: Kafka's controllers, and the nodes that are eligible as OpenSearch's cluster manager. */
export function votersOf(environment: Environment, cluster: ClusterName): string[] {
  const nodes = nodesOf(environment, cluster);
  const controllers = cluster === "kafka" ? environment.kafka.controllers : undefined;
  return nodes.slice(0, controllers ?? defaultVoters(nodes.length));
}
