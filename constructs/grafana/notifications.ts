import * as v from "valibot";
import { anyObject, checkDeclared, type Declared, object } from "../container/declaration";
import { all, validate, validateDistinct } from "../container/validation";
import { type ContactPointProps, validateContactPoint } from "./contact-point";
import { HEARTBEAT_CONTACT_POINT, type HeartbeatProps, validateHeartbeat } from "./heartbeat";
import { type MuteTimingProps, validateMuteTiming } from "./mute-timing";
import { type NotificationPolicyProps, validateNotificationPolicy } from "./notification-policy";

const notificationsSchema = object({
  /** The contact points that can be notified. */
  contactPoints: v.array(anyObject<ContactPointProps>()),
  /** The times without notifications. */
  muteTimings: v.array(anyObject<MuteTimingProps>()),
  /** The policy that routes alerts to contact points. */
  policy: anyObject<NotificationPolicyProps>(),

  /**
   * Where the alert Watchdog is sent all the time, so that silence is noticed elsewhere.
   *
   * @default - none: the alert Watchdog is not deployed
   */
  heartbeat: v.optional(anyObject<HeartbeatProps>()),
});

/** The contact points, mute timings and policy for alerts. */
export type Notifications = Declared<typeof notificationsSchema>;

/** Throws if a name is declared twice, a contact point or mute timing is invalid, or the policy refers to an undeclared name. */
export function validateNotifications(notifications: Notifications): void {
  checkDeclared(notificationsSchema, notifications, "the declaration of notifications");
  const { contactPoints, muteTimings, policy, heartbeat } = notifications;
  all(
    () =>
      validateDistinct(
        contactPoints.map(({ name }) => name),
        (name) => `contact point "${name}" is declared twice: rename one`,
      ),
    () =>
      validateDistinct(
        muteTimings.map(({ name }) => name),
        (name) => `mute timing "${name}" is declared twice: rename one`,
      ),
    () =>
      validate(
        contactPoints.every(({ name }) => name !== HEARTBEAT_CONTACT_POINT),
        () =>
          `contact point "${HEARTBEAT_CONTACT_POINT}" has the name of the one for the heartbeat: rename yours`,
      ),
    ...contactPoints.map((props) => () => validateContactPoint(props)),
    ...muteTimings.map((props) => () => validateMuteTiming(props)),
    () => validateNotificationPolicy(policy, notifications),
    () => heartbeat !== undefined && validateHeartbeat(heartbeat),
  );
}
