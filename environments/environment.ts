import * as v from "valibot";
import { type Declared, object, record, strict } from "../constructs/container/declaration";
import { nodeNames } from "../constructs/container/node-name";
import { smtpSchema } from "../constructs/grafana/smtp";
import type { CLUSTERS } from "../constructs/security/principals";

const WHOLE = "a whole number from 1 to 1000";

/** Of nodes: nobody has more. */
const countSchema: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.integer(WHOLE),
  v.minValue(1, WHOLE),
  v.maxValue(1000, WHOLE),
);

const networkSchema = object({
  /** Name of the network on the engine. */
  name: v.pipe(v.string(), v.nonEmpty("a name")),

  /**
   * Whether the network is there already, under this name, and belongs to someone else.
   *
   * @default false - it is created, and destroyed with the platform
   */
  adopt: v.optional(v.boolean()),
});

export type NetworkSettings = Declared<typeof networkSchema>;

const machineSchema = object({
  /** Lower-case letters and digits: in the names of its stacks, and of what runs on every machine. */
  name: v.string(),

  /** Where its engine is reached from here, as in DOCKER_HOST: `ssh://user@host`, `tcp://host:2376` with TLS, or `unix:///path`. */
  engine: v.string(),

  /** IP address by which the other machines reach it. */
  address: v.string(),
});

/** A machine with a Docker engine. */
export type Machine = Declared<typeof machineSchema>;

const stateBackendSchema = v.variant("kind", [
  strict({ kind: v.literal("local") }),
  strict({
    /** Any S3 API, with a lock file beside the state. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
    kind: v.literal("s3"),
    /** Name of the bucket. */
    bucket: v.string(),
    /**
     * Where the bucket is.
     *
     * @default "us-east-1"
     */
    region: v.optional(v.string()),
    /** Base URL of another S3 API than Amazon's. @default - Amazon's */
    endpoint: v.optional(v.string()),
  }),
  strict({
    /** A REST server such as GitLab's. TF_HTTP_USERNAME and TF_HTTP_PASSWORD. */
    kind: v.literal("http"),
    /** Without a slash at its end; the stack's name is added, and `/lock` for its lock. */
    address: v.string(),
  }),
  strict({
    /** A PostgreSQL database. PG_CONN_STR. */
    kind: v.literal("pg"),
  }),
  strict({
    /** Google Cloud Storage. GOOGLE_APPLICATION_CREDENTIALS. */
    kind: v.literal("gcs"),
    /** Name of the bucket. */
    bucket: v.string(),
  }),
  strict({
    /** HCP Terraform or Terraform Enterprise, with execution mode "local". TF_TOKEN_<host>. */
    kind: v.literal("remote"),
    /** Name of the organization. */
    organization: v.string(),
    /**
     * Host of the service.
     *
     * @default "app.terraform.io"
     */
    hostname: v.optional(v.string()),
  }),
]);

/**
 * A backend of Terraform (https://developer.hashicorp.com/terraform/language/backend). None has a place for credentials: they come
 * from the variables that the backend reads itself.
 */
export type StateBackend = Declared<typeof stateBackendSchema>;

const observabilityServiceSchema = v.picklist(["alloy", "grafana", "loki"]);

/** What an environment can do without. Prometheus, the exit relay and its engine proxy are everywhere. */
export type ObservabilityService = Declared<typeof observabilityServiceSchema>;

export const environmentSchema = object({
  /** Value of `GROUNDWORK_ENV`, and folder of the Terraform state below `.state/`. */
  name: v.string(),

  /** Factor on the table of memory tiers, 0.5 to 16. */
  memoryScale: v.number(),

  /** MiB that the containers may reserve together there; a preview compares with it. */
  memoryBudgetMiB: v.pipe(v.number(), v.minValue(1, "a number from 1")),

  networks: object({
    /** The services' own network. */
    infra: networkSchema,
    /** The network that applications join. */
    project: networkSchema,
    /**
     * Whether what crosses between several machines on networks that are created here is encrypted by the networks themselves (IPsec), which
     * takes ESP in the kernel of each. With `security` it is encrypted anyway.
     *
     * @default false
     */
    encrypted: v.optional(v.boolean()),
  }),

  /**
   * Who may connect: with `tls` every listener is encrypted, services know each other by certificates, and an application is let in with
   * the credentials and the rights of its declaration; with `none` everyone who reaches the networks.
   *
   * @default "none"
   */
  security: v.optional(v.picklist(["none", "tls"])),

  openSearch: object({
    /** 1, or 3 and more. */
    nodes: countSchema,
    /** Whether applications on the project network reach HTTP, which has no authentication. */
    onProjectNetwork: v.boolean(),
    /**
     * What the nodes run.
     *
     * @default OPENSEARCH_IMAGE
     */
    image: v.optional(v.string()),
    /** `false` on a machine that refuses to raise the limits of open files and locked memory. */
    raiseUlimits: v.boolean(),
  }),

  kafka: object({
    /** 1 or an odd number from 3. */
    brokers: countSchema,
  }),

  grafana: object({
    /**
     * Where the password of the user `admin` comes from: `generated` into an untracked file of this machine when there is none,
     * or the `variable` `TF_VAR_grafana_admin_password`. The variable wins either way. 5 bytes at least, printable characters alone.
     */
    adminPassword: v.picklist(["generated", "variable"]),
    /**
     * Where Grafana sends e-mail through.
     *
     * @default - no e-mail is sent
     */
    smtp: v.optional(smtpSchema),
  }),

  /**
   * Observability's services whose image cannot be had there. They are left out, and `up` names them.
   *
   * @default - none
   */
  excludedServices: v.optional(v.array(observabilityServiceSchema)),

  /**
   * Ports on 127.0.0.1: of the first node of each cluster, the others follow, and of Grafana. Where there are several machines, each is on
   * the machine of its container.
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
   * The machines that the platform is spread over, three or more, each with an engine of its own and all in one Docker Swarm. Node *i* of
   * a cluster is on machine *i*, counted round; the others are on the first one.
   *
   * @default - one machine, whose engine is found as the docker command finds it
   */
  machines: v.optional(v.array(machineSchema)),

  /**
   * Path of the engine's socket on its own host, for the containers that watch the others.
   *
   * @default - the one of DOCKER_HOST, where that is a `unix://` socket outside of the home directory, such as a rootless engine's; else
   * `/var/run/docker.sock`: a socket in the home directory leads into a virtual machine, which has it there
   */
  engineSocket: v.optional(v.string()),

  /**
   * Names of machines that are gone for now: a deploy leaves out what is placed there, and the init sidecars run elsewhere.
   * `npm run up -- --exclude-machine <machine>` says so for once.
   *
   * @default - none
   */
  excludedMachines: v.optional(v.array(v.string())),

  /**
   * Name of the machine by name of the container, such as `{ grafana: "b" }`, where it is to be another one.
   *
   * @default - none
   */
  placement: v.optional(record(v.string())),

  /**
   * Where Terraform keeps its state: on this machine, or where the whole team finds it.
   *
   * @default - local, in `.state/<environment>/`
   */
  state: v.optional(stateBackendSchema),
});

/** Where a Docker engine is reached. */
export interface EngineAddress {
  /** As in DOCKER_HOST. */
  readonly host: string;

  /** Name of the docker context that it is from. */
  readonly context?: string;

  /**
   * What a docker context has for TLS.
   *
   * @default - DOCKER_CERT_PATH and DOCKER_TLS_VERIFY, as they are
   */
  readonly tls?: { readonly certPath: string; readonly verify: boolean };
}

/** What differs between the places that the platform is deployed to. */
export type Environment = Declared<typeof environmentSchema> & {
  /** The engine of an environment without machines. No file declares it: it is looked up where a command runs. */
  readonly engine?: EngineAddress;
};

/** Whether the environment has TLS enabled, and lets in whom it knows. */
export function isSecured({ security }: Environment): boolean {
  return security === "tls";
}

/** A cluster, by the name that its containers begin with. */
export type ClusterName = (typeof CLUSTERS)[number];

/** Containers of all nodes of a cluster. */
export function nodesOf({ kafka, openSearch }: Environment, cluster: ClusterName): string[] {
  const count = cluster === "kafka" ? kafka.brokers : openSearch.nodes;
  return nodeNames(cluster, count);
}
