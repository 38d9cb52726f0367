import { ContactPoint as ContactPointResource } from "@cdktf/provider-grafana/lib/contact-point";
import { Construct } from "constructs";
import * as v from "valibot";
import { checkDeclared, type Declared, object } from "../container/declaration";
import { escapeTemplate } from "../container/file";
import { validate } from "../container/validation";
import { type Secret, secretSchema, secretValue, validateSecretUrl } from "./secret";

const contactPointSchema = object({
  /** The name by which policies and routes refer to it. */
  name: v.string(),

  /** Sends email to these addresses. Requires the environment's `smtp`. */
  email: v.optional(object({ addresses: v.array(v.string()) })),

  /** Posts JSON to a URL (https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/). */
  webhook: v.optional(object({ url: secretSchema })),

  /** Posts to an incoming webhook of Slack. */
  slack: v.optional(object({ url: secretSchema })),
});

/** A receiver of alerts, with exactly one integration. */
export type ContactPointProps = Declared<typeof contactPointSchema>;

const KINDS = ["email", "webhook", "slack"] as const;

/** Throws if a contact point does not have exactly one valid integration. */
export function validateContactPoint(props: ContactPointProps, scope?: Construct): void {
  const { name } = props;
  for (const kind of ["webhook", "slack"] as const) {
    if (props[kind] !== undefined) {
      validateSecretUrl(
        props[kind]?.url,
        `contact point "${name}"`,
        `${kind} URL`,
        `${kind}_url`,
        scope,
      );
    }
  }
  checkDeclared(contactPointSchema, props, `contact point "${name}"`, scope);
  const kinds = KINDS.filter((kind) => props[kind] !== undefined);
  validate(
    kinds.length === 1,
    () =>
      `contact point "${name}" has ${kinds.join(" and ") || "no integration"}: set exactly one of ${KINDS.join(", ")}`,
    scope,
  );
  validate(
    props.email === undefined || props.email.addresses.length > 0,
    () => `contact point "${name}" has no email addresses: add at least one`,
    scope,
  );
}

export class ContactPoint extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: ContactPointProps) {
    super(scope, id);
    validateContactPoint(props, this);
    this.name = props.name;
    new ContactPointResource(this, "Resource", {
      name: escapeTemplate(props.name),
      email: props.email && [
        { addresses: props.email.addresses.map(escapeTemplate), singleEmail: true },
      ],
      webhook: props.webhook && [{ url: this.secret("webhook", props.webhook.url) }],
      slack: props.slack && [
        { url: this.secret("slack", props.slack.url), title: SLACK_TITLE, text: SLACK_TEXT },
      ],
    });
  }

  private secret(kind: string, secret: Secret): string {
    const what = `The ${kind} URL of contact point "${escapeTemplate(this.name)}"`;
    return secretValue(this, secret, what);
  }
}

const SLACK_TITLE = "{{ .CommonLabels.alertname }} ({{ .Status }})";
const SLACK_TEXT =
  "{{ range .Alerts }}{{ .Annotations.summary }} ({{ .Annotations.runbook }})\n{{ end }}";
