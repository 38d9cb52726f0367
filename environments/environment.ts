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
  };

  readonly openSearch: {
    /** 1, or 3 and more. */
    readonly nodes: number;
    /** Whether applications on the project network reach HTTP, which has no authentication. */
    readonly onProjectNetwork: boolean;
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
     * or the `variable` `TF_VAR_grafana_admin_password`.
     */
    readonly adminPassword: "generated" | "variable";
    /** @default - no e-mail is sent */
    readonly smtp?: Smtp;
  };

  /**
   * Observability's services whose image cannot be had there. They are left out, and `up` names them.
   *
   * @default - none
   */
  readonly without?: readonly ObservabilityService[];

  /**
   * Ports on 127.0.0.1: of the first node of each cluster, the others follow, and of Grafana.
   *
   * @default - nothing is published on the host
   */
  readonly hostPorts?: {
    readonly openSearch: number;
    readonly kafka: number;
    readonly grafana: number;
  };

  /**
   * What the operator has to know, shown at every synth.
   *
   * @default - nothing
   */
  readonly warnings?: readonly string[];
}

/** What an environment can do without. Prometheus and the exit relay are everywhere. */
export type ObservabilityService = "alloy" | "grafana" | "loki";

export interface NetworkSettings {
  readonly name: string;

  /**
   * Whether the network is there already, under this name, and belongs to someone else.
   *
   * @default false - it is created, and destroyed with the platform
   */
  readonly adopt?: boolean;
}
