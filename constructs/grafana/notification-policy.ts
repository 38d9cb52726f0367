import { NotificationPolicy as NotificationPolicyResource } from "@cdktf/provider-grafana/lib/notification-policy";
import { Construct } from "constructs";
import * as v from "valibot";
import { checkDeclared, type Declared, object, record } from "../container/declaration";
import { escapeTemplate } from "../container/file";
import { all, validate } from "../container/validation";
import type { ContactPoint } from "./contact-point";
import { type Heartbeat, WATCHDOG } from "./heartbeat";
import type { MuteTiming } from "./mute-timing";

/** A duration in Grafana's format. */
const durationSchema: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(/^(\d+(ms|[smhdwy]))+$/, "a number with s, m, h or d, such as 5m"),
);

const routeSchema = object({
  /** The labels that an alert must have, such as `{ severity: "critical" }`. */
  labels: record(v.string()),

  /** The name of the contact point that is notified. */
  contactPoint: v.string(),

  /**
   * The names of mute timings.
   *
   * @default - never muted
   */
  muteTimings: v.optional(v.array(v.string())),
});

const policySchema = object({
  /** The name of the contact point for alerts that no route matches. */
  contactPoint: v.string(),

  /**
   * The labels by which alerts are grouped into one notification.
   *
   * @default ["alertname"]
   */
  groupBy: v.optional(v.array(v.string())),

  /**
   * How long to wait for more alerts of a group, such as `30s`.
   *
   * @default "30s", Grafana's default
   */
  groupWait: v.optional(durationSchema),

  /**
   * How long to wait before a group that still fires is notified again.
   *
   * @default "4h", Grafana's default
   */
  repeatInterval: v.optional(durationSchema),

  /**
   * The routes. An alert takes the first one whose labels all match.
   *
   * @default - none
   */
  routes: v.optional(v.array(routeSchema)),
});

export type NotificationRoute = Declared<typeof routeSchema>;

/** A policy that routes alerts to contact points. It replaces Grafana's only policy tree as a whole. */
export type NotificationPolicyProps = Declared<typeof policySchema>;

interface Named {
  readonly name: string;
}

/** Throws if a policy refers to an undeclared contact point or mute timing. */
export function validateNotificationPolicy(
  props: NotificationPolicyProps,
  known: { readonly contactPoints: readonly Named[]; readonly muteTimings: readonly Named[] },
  scope?: Construct,
): void {
  checkDeclared(policySchema, props, "the notification policy", scope);
  const { contactPoint: last, routes = [] } = props;
  all(
    ...[last, ...routes.map(({ contactPoint }) => contactPoint)].map(
      (name) => () => validateName("contact point", known.contactPoints, name, scope),
    ),
    ...routes
      .flatMap(({ muteTimings = [] }) => muteTimings)
      .map((name) => () => validateName("mute timing", known.muteTimings, name, scope)),
  );
}

function validateName(
  kind: string,
  known: readonly Named[],
  name: string,
  scope?: Construct,
): void {
  const names = known.map((one) => one.name);
  validate(
    names.includes(name),
    () =>
      `the notification policy refers to the undeclared ${kind} "${name}": declare it, or use one of those declared: ${names.join(", ") || "none"}`,
    scope,
  );
}

export class NotificationPolicy extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: NotificationPolicyProps,
    known: {
      readonly contactPoints: readonly ContactPoint[];
      readonly muteTimings: readonly MuteTiming[];
      /**
       * The contact point of the heartbeat, which gets the alert Watchdog and no other.
       *
       * @default - none
       */
      readonly heartbeat?: Heartbeat;
    },
  ) {
    super(scope, id);
    validateNotificationPolicy(props, known, this);
    const routes = props.routes ?? [];
    new NotificationPolicyResource(this, "Resource", {
      contactPoint: escapeTemplate(props.contactPoint),
      groupBy: (props.groupBy ?? ["alertname"]).map(escapeTemplate),
      groupWait: props.groupWait ?? "30s",
      repeatInterval: props.repeatInterval ?? "4h",
      policy: [
        // Before all others, so that no route mutes it.
        ...(known.heartbeat ? [heartbeatRoute(known.heartbeat)] : []),
        ...routes.map(({ labels, contactPoint, muteTimings }) => ({
          contactPoint: escapeTemplate(contactPoint),
          muteTimings: muteTimings?.map(escapeTemplate),
          matcher: Object.entries(labels).map(([label, value]) => ({
            label: escapeTemplate(label),
            match: "=",
            value: escapeTemplate(value),
          })),
        })),
      ],
      // References are by name only, so Terraform does not see that these must exist first.
      dependsOn: [
        ...known.contactPoints,
        ...known.muteTimings,
        ...(known.heartbeat ? [known.heartbeat] : []),
      ].map(({ node }) => node.findChild("Resource")) as never[],
    });
  }
}

/**
 * Grafana decides about a repetition every group interval. With a repeat interval of the same length, the last notification is a moment too
 * young every other time (prometheus/alertmanager#676). With a shorter one, every group interval sends.
 */
function heartbeatRoute({ name, intervalSeconds }: Heartbeat) {
  return {
    contactPoint: name,
    matcher: [{ label: "alertname", match: "=", value: WATCHDOG }],
    groupBy: ["alertname"],
    groupWait: "10s",
    groupInterval: `${intervalSeconds}s`,
    repeatInterval: `${Math.floor(intervalSeconds / 2)}s`,
  };
}
