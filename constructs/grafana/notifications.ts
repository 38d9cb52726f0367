import * as v from "valibot";
import { anyObject, checkDeclared, type Declared, object } from "../container/declaration";
import { all, validateDistinct } from "../container/validation";
import { type ContactPointProps, validateContactPoint } from "./contact-point";
import { type MuteTimingProps, validateMuteTiming } from "./mute-timing";
import { type NotificationPolicyProps, validateNotificationPolicy } from "./notification-policy";

const notificationsSchema = object({
  /** Everybody who can be told. */
  contactPoints: v.array(anyObject<ContactPointProps>()),
  /** Times in which nobody is told. */
  muteTimings: v.array(anyObject<MuteTimingProps>()),
  /** Which alert goes to whom. */
  policy: anyObject<NotificationPolicyProps>(),
});

/** Who is told of alerts, how and when. */
export type Notifications = Declared<typeof notificationsSchema>;

/** Throws on notifications that would reach nobody or that refer to what is not declared. */
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
