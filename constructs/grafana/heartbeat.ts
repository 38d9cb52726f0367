import { ContactPoint as ContactPointResource } from "@cdktf/provider-grafana/lib/contact-point";
import { Construct } from "constructs";
import * as v from "valibot";
import { checkDeclared, type Declared, object } from "../container/declaration";
import { validate } from "../container/validation";
import { toSeconds } from "./duration";
import { secretSchema, secretValue, validateSecretUrl } from "./secret";

/** The alert that always fires. It is in alerts/watchdog.yml. */
export const WATCHDOG = "Watchdog";

/** The name of the contact point. No other may have it. */
export const HEARTBEAT_CONTACT_POINT = "groundwork-heartbeat";

const heartbeatSchema = object({
  /** The address, which gets a POST request. It is a secret: anyone who knows it can send heartbeats in place of the platform. */
  url: secretSchema,

  /**
   * The time between two heartbeats, from `1m` to `1d`. Let the service at the address alert after two or three times that long.
   *
   * @default "5m"
   */
  interval: v.optional(v.string()),
});

/** Where the alert Watchdog is sent while alerts are evaluated and sent, so that silence is noticed elsewhere. */
export type HeartbeatProps = Declared<typeof heartbeatSchema>;

/** Throws if the address is not given as a variable, or the interval is out of range. */
export function validateHeartbeat(props: HeartbeatProps, scope?: Construct): void {
  validateSecretUrl(props?.url, "the heartbeat", "URL", "heartbeat_url", scope);
  checkDeclared(heartbeatSchema, props, "the heartbeat", scope);
  const { interval = "5m" } = props;
  const seconds = toSeconds(interval);
  validate(
    Number.isInteger(seconds) && seconds >= 60 && seconds <= 86_400,
    () => `the heartbeat has the interval "${interval}": use 1m to 1d, such as 5m`,
    scope,
  );
}

/** The contact point of the heartbeat. */
export class Heartbeat extends Construct {
  readonly name = HEARTBEAT_CONTACT_POINT;

  /** The time between two heartbeats. */
  readonly intervalSeconds: number;

  constructor(scope: Construct, id: string, props: HeartbeatProps) {
    super(scope, id);
    validateHeartbeat(props, this);
    this.intervalSeconds = toSeconds(props.interval ?? "5m");
    new ContactPointResource(this, "Resource", {
      name: this.name,
      webhook: [
        {
          url: secretValue(this, props.url, "The URL of the heartbeat"),
          // A message that the alert has ended would count as a heartbeat.
          disableResolveMessage: true,
        },
      ],
    });
  }
}
