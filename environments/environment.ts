import type { Smtp } from "../constructs";

/** What differs between the places that the platform is deployed to. */
export interface Environment {
  /** Value of `GROUNDWORK_ENV`, and folder of the Terraform state below `.state/`. */
  readonly name: string;

  /** Factor on the table of memory tiers, 0.5 to 16. */
  readonly memoryScale: number;

  /** MiB that the containers may reserve together there; a preview compares with it. */
  readonly memoryBudgetMiB: number;

  readonly networks: {
    /** The services' own network. */
    readonly infra: NetworkSettings;
    /** The network that applications join. */
    readonly project: NetworkSettings;
    /**
     * Whether what crosses between several machines on networks that are created here is encrypted by the networks themselves (IPsec), which
     * takes ESP in the kernel of each. With `security` it is encrypted anyway.
     *
     * @default false
     */
    readonly encrypted?: boolean;
  };

  /**
   * Who may connect: with `tls` every listener is encrypted, services know each other by certificates, and an application is let in with
   * the credentials and the rights of its declaration; with `none` everyone who reaches the networks.
   *
   * @default "none"
   */
  readonly security?: "none" | "tls";

  readonly openSearch: {
    /** 1, or 3 and more. */
    readonly nodes: number;
    /** Whether applications on the project network reach HTTP, which has no authentication. */
    readonly onProjectNetwork: boolean;
    /**
     * What the nodes run.
     *
     * @default OPENSEARCH_IMAGE
     */
    readonly image?: string;
    /** `false` on a machine that refuses to raise the limits of open files and locked memory. */
    readonly raiseUlimits: boolean;
  };

  readonly kafka: {
    /** 1 or an odd number from 3. */
    readonly brokers: number;
  };

  readonly grafana: {
    /**
     * Where the password of the user `admin` comes from: `generated` into an untracked file of this machine when there is none,
     * or the `variable` `TF_VAR_grafana_admin_password`. The variable wins either way. 5 bytes at least, printable characters alone.
     */
    readonly adminPassword: "generated" | "variable";
    /**
     * Where Grafana sends e-mail through.
     *
     * @default - no e-mail is sent
     */
    readonly smtp?: Smtp;
  };

  /**
   * Observability's services whose image cannot be had there. They are left out, and `up` names them.
   *
   * @default - none
   */
  readonly without?: readonly ObservabilityService[];

  /**
   * Ports on 127.0.0.1: of the first node of each cluster, the others follow, and of Grafana. Where there are several machines, each is on
   * the machine of its container.
   *
   * @default - nothing is published on the host
   */
  readonly hostPorts?: {
    readonly openSearch: number;
    readonly kafka: number;
    readonly grafana: number;
  };

  /**
   * The machines that the platform is spread over, three or more, each with an engine of its own and all in one Docker Swarm. Node *i* of
   * a cluster is on machine *i*, counted round; the others are on the first one.
   *
   * @default - one machine, whose engine is found as the docker command finds it
   */
  readonly machines?: readonly Machine[];

  /**
   * Path of the engine's socket on its own host, for the containers that watch the others.
   *
   * @default - the one of DOCKER_HOST, where that is a `unix://` socket outside of the home directory, such as a rootless engine's; else
   * `/var/run/docker.sock`: a socket in the home directory leads into a virtual machine, which has it there
   */
  readonly engineSocket?: string;

  /**
   * Names of machines that are gone for now: a deploy leaves out what is placed there, and the init sidecars run elsewhere.
   * `npm run up -- --without <machine>` says so for once.
   *
   * @default - none
   */
  readonly absent?: readonly string[];

  /**
   * Name of the machine by name of the container, such as `{ grafana: "b" }`, where it is to be another one.
   *
   * @default - none
   */
  readonly placement?: Readonly<Record<string, string>>;

  /**
   * Where Terraform keeps its state: on this machine, or where the whole team finds it.
   *
   * @default - local, in `.state/<environment>/`
   */
  readonly state?: StateBackend;
}

/** A machine with a Docker engine. */
export interface Machine {
  /** Lower-case letters and digits: in the names of its stacks, and of what runs on every machine. */
  readonly name: string;

  /** Where its engine is reached from here, as in DOCKER_HOST: `ssh://user@host`, `tcp://host:2376` with TLS, or `unix:///path`. */
  readonly engine: string;

  /** IP address by which the other machines reach it. */
  readonly address: string;
}

/**
 * A backend of Terraform (https://developer.hashicorp.com/terraform/language/backend). None has a place for credentials: they come
 * from the variables that the backend reads itself.
 */
export type StateBackend =
  | { readonly kind: "local" }
  | {
      /** Any S3 API, with a lock file beside the state. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
      readonly kind: "s3";
      /** Name of the bucket. */
      readonly bucket: string;
      /**
       * Where the bucket is.
       *
       * @default "us-east-1"
       */
      readonly region?: string;
      /** Base URL of another S3 API than Amazon's. @default - Amazon's */
      readonly endpoint?: string;
    }
  | {
      /** A REST server such as GitLab's. TF_HTTP_USERNAME and TF_HTTP_PASSWORD. */
      readonly kind: "http";
      /** Without a slash at its end; the stack's name is added, and `/lock` for its lock. */
      readonly address: string;
    }
  | {
      /** A PostgreSQL database. PG_CONN_STR. */
      readonly kind: "pg";
    }
  | {
      /** Google Cloud Storage. GOOGLE_APPLICATION_CREDENTIALS. */
      readonly kind: "gcs";
      /** Name of the bucket. */
      readonly bucket: string;
    }
  | {
      /** HCP Terraform or Terraform Enterprise, with execution mode "local". TF_TOKEN_<host>. */
      readonly kind: "remote";
      /** Name of the organization. */
      readonly organization: string;
      /**
       * Host of the service.
       *
       * @default "app.terraform.io"
       */
      readonly hostname?: string;
    };

/** What an environment can do without. Prometheus, the exit relay and its engine proxy are everywhere. */
export type ObservabilityService = "alloy" | "grafana" | "loki";

export interface NetworkSettings {
  /** Name of the network on the engine. */
  readonly name: string;

  /**
   * Whether the network is there already, under this name, and belongs to someone else.
   *
   * @default false - it is created, and destroyed with the platform
   */
  readonly adopt?: boolean;
}
