import * as v from "valibot";
import { anyObject, checkDeclared, type Declared, object } from "../container/declaration";
import { all, validateDistinct } from "../container/validation";
import { type ContactPointProps, validateContactPoint } from "./contact-point";
import { type MuteTimingProps, validateMuteTiming } from "./mute-timing";
import { type NotificationPolicyProps, validateNotificationPolicy } from "./notification-policy";

const notificationsSchema = object({
  /** The contact points that can be notified. */
  contactPoints: v.array(anyObject<ContactPointProps>()),
  /** The times without notifications. */
  muteTimings: v.array(anyObject<MuteTimingProps>()),
  /** The policy that routes alerts to contact points. */
  policy: anyObject<NotificationPolicyProps>(),
});

/** The contact points, mute timings and policy for alerts. */
export type Notifications = Declared<typeof notificationsSchema>;

/** Throws if a name is declared twice, a contact point or mute timing is invalid, or the policy refers to an undeclared name. */
export function validateNotifications(notifications: Notifications): void {
  checkDeclared(notificationsSchema, notifications, "the declaration of notifications");
  const { contactPoints, muteTimings, policy } = notifications;
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
    ...contactPoints.map((props) => () => validateContactPoint(props)),
    ...muteTimings.map((props) => () => validateMuteTiming(props)),
    () => validateNotificationPolicy(policy, notifications),
  );
}
