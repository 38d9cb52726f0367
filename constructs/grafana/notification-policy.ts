import { NotificationPolicy as NotificationPolicyResource } from "@cdktf/provider-grafana/lib/notification-policy";
import { Construct } from "constructs";
import * as v from "valibot";
import { checkDeclared, type Declared, object, record } from "../container/declaration";
import { all, validate } from "../container/validation";
import type { ContactPoint } from "./contact-point";
import type { MuteTiming } from "./mute-timing";

/** As Grafana reads it. */
const durationSchema: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(/^(\d+(ms|[smhdwy]))+$/, "a number with s, m, h or d, such as 5m"),
);

const routeSchema = object({
  /** Labels that an alert has to have, such as `{ severity: "critical" }`. */
  labels: record(v.string()),

  /** Name of the contact point that is told. */
  contactPoint: v.string(),

  /**
   * Names of mute timings.
   *
   * @default - never muted
   */
  muteTimings: v.optional(v.array(v.string())),
});

const policySchema = object({
  /** Name of the contact point for everything that no route takes. */
  contactPoint: v.string(),

  /**
   * Labels whose alerts are told of together.
   *
   * @default ["alertname"]
   */
  groupBy: v.optional(v.array(v.string())),

  /**
   * How long to wait for more of a group, in Go's spelling.
   *
   * @default "30s", Grafana's own
   */
  groupWait: v.optional(durationSchema),

  /**
   * After how long a group that still fires is told of again.
   *
   * @default "4h", Grafana's own
   */
  repeatInterval: v.optional(durationSchema),

  /**
   * The first one whose labels all match takes an alert.
   *
   * @default - none
   */
  routes: v.optional(v.array(routeSchema)),
});

export type NotificationRoute = Declared<typeof routeSchema>;

/** Who hears of which alert, and how often. Grafana has one such tree; this is all of it. */
export type NotificationPolicyProps = Declared<typeof policySchema>;

interface Named {
  readonly name: string;
}

/** Throws on a policy that refers to what is not declared. */
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
    },
  ) {
    super(scope, id);
    validateNotificationPolicy(props, known, this);
    const routes = props.routes ?? [];
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
}
