import { NotificationPolicy as NotificationPolicyResource } from "@cdktf/provider-grafana/lib/notification-policy";
import { Construct } from "constructs";
import { validate } from "../service/validation";
import type { ContactPoint } from "./contact-point";
import type { MuteTiming } from "./mute-timing";

/** Who hears of which alert, and how often. Grafana has one such tree; this is all of it. */
export interface NotificationPolicyProps {
  /** Name of the contact point for everything that no route takes. */
  readonly contactPoint: string;

  /**
   * Labels whose alerts are told of together.
   *
   * @default ["alertname"]
   */
  readonly groupBy?: readonly string[];

  /**
   * How long to wait for more of a group, in Go's spelling.
   *
   * @default "30s", Grafana's own
   */
  readonly groupWait?: string;

  /**
   * After how long a group that still fires is told of again.
   *
   * @default "4h", Grafana's own
   */
  readonly repeatInterval?: string;

  /**
   * The first one whose labels all match takes an alert.
   *
   * @default - none
   */
  readonly routes?: readonly NotificationRoute[];
}

export interface NotificationRoute {
  /** Labels that an alert has to have, such as `{ severity: "critical" }`. */
  readonly labels: Readonly<Record<string, string>>;

  /** Name of the contact point that is told. */
  readonly contactPoint: string;

  /**
   * Names of mute timings.
   *
   * @default - never muted
   */
  readonly muteTimings?: readonly string[];
}

export class NotificationPolicy extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: NotificationPolicyProps,
    known: {
      readonly contactPoints: readonly ContactPoint[];
      readonly muteTimings: readonly MuteTiming[];
    },
  ) {
    super(scope, id);
    const routes = props.routes ?? [];
    this.validateNames("contact point", known.contactPoints, [
      props.contactPoint,
      ...routes.map(({ contactPoint }) => contactPoint),
    ]);
    this.validateNames(
      "mute timing",
      known.muteTimings,
      routes.flatMap(({ muteTimings = [] }) => muteTimings),
    );
    new NotificationPolicyResource(this, "Resource", {
      contactPoint: props.contactPoint,
      groupBy: [...(props.groupBy ?? ["alertname"])],
      groupWait: props.groupWait ?? "30s",
      repeatInterval: props.repeatInterval ?? "4h",
      policy: routes.map(({ labels, contactPoint, muteTimings }) => ({
        contactPoint,
        muteTimings: muteTimings && [...muteTimings],
        matcher: Object.entries(labels).map(([label, value]) => ({ label, match: "=", value })),
      })),
      // By name only: Terraform does not see that these have to be there first.
      dependsOn: [...known.contactPoints, ...known.muteTimings].map(({ node }) =>
        node.findChild("Resource"),
      ) as never[],
    });
  }

  private validateNames(kind: string, known: readonly { name: string }[], used: string[]): void {
    const names = known.map(({ name }) => name);
    for (const name of used) {
      validate(
        names.includes(name),
        () =>
          `the notification policy refers to ${kind} "${name}": declared are ${names.join(", ") || "none"}`,
        this,
      );
    }
  }
}
