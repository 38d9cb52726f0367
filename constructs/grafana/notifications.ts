import * as v from "valibot";
import { checkDeclared, type Declared, object } from "../service/declaration";
import { all } from "../service/validation";
import { type ContactPointProps, validateContactPoint } from "./contact-point";
import { type MuteTimingProps, validateMuteTiming } from "./mute-timing";
import { type NotificationPolicyProps, validateNotificationPolicy } from "./notification-policy";

const notificationsSchema = object({
  /** Everybody who can be told. */
  contactPoints: v.array(v.custom<ContactPointProps>(isObject)),
  /** Times in which nobody is told. */
  muteTimings: v.array(v.custom<MuteTimingProps>(isObject)),
  /** Which alert goes to whom. */
  policy: v.custom<NotificationPolicyProps>(isObject),
});

/** Who is told of alerts, how and when. */
export type Notifications = Declared<typeof notificationsSchema>;

/** Throws on notifications that would reach nobody or that refer to what is not declared. */
export function validateNotifications(notifications: Notifications): void {
  checkDeclared(notificationsSchema, notifications, "what is declared of notifications");
  const { contactPoints, muteTimings, policy } = notifications;
  all(
    ...contactPoints.map((props) => () => validateContactPoint(props)),
    ...muteTimings.map((props) => () => validateMuteTiming(props)),
    () => validateNotificationPolicy(policy, notifications),
  );
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
