import { ContactPoint as ContactPointResource } from "@cdktf/provider-grafana/lib/contact-point";
import { TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import { validate } from "../service/validation";

/**
 * A value that is nowhere in this repository nor in what is synthesized: it comes from the variable `TF_VAR_<variable>` of the
 * shell that deploys.
 */
export interface Secret {
  /** Name of the Terraform variable: lower-case letters, digits and "_". */
  readonly variable: string;
}

/** Who hears of an alert, by exactly one way. */
export interface ContactPointProps {
  /** By which policies and routes refer to it. */
  readonly name: string;

  /** Addresses; Grafana needs the environment's `smtp` to reach them. */
  readonly email?: { readonly addresses: readonly string[] };

  /** Grafana posts JSON (https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/). */
  readonly webhook?: { readonly url: Secret };

  /** An incoming webhook of Slack's. */
  readonly slack?: { readonly url: Secret };
}

const KINDS = ["email", "webhook", "slack"] as const;

export class ContactPoint extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: ContactPointProps) {
    super(scope, id);
    this.name = props.name;
    const kinds = KINDS.filter((kind) => props[kind] !== undefined);
    validate(
      kinds.length === 1,
      () =>
        `contact point "${props.name}" has ${kinds.join(" and ") || "no way to be reached"}: it needs exactly one of ${KINDS.join(", ")}`,
      this,
    );
    validate(
      props.email === undefined || props.email.addresses.length > 0,
      () => `contact point "${props.name}" has no e-mail addresses: name at least one`,
      this,
    );
    new ContactPointResource(this, "Resource", {
      name: props.name,
      email: props.email && [{ addresses: [...props.email.addresses], singleEmail: true }],
      webhook: props.webhook && [{ url: this.secret("webhook", props.webhook.url) }],
      slack: props.slack && [
        { url: this.secret("slack", props.slack.url), title: SLACK_TITLE, text: SLACK_TEXT },
      ],
    });
  }

  private secret(kind: string, secret: Secret | undefined): string {
    validate(
      secret !== undefined && /^[a-z][a-z0-9_]*$/.test(secret.variable ?? ""),
      () =>
        `contact point "${this.name}" has no secret for its ${kind} URL: set url to { variable: "name_of_it" } and export TF_VAR_name_of_it when you deploy`,
      this,
    );
    const variable = new TerraformVariable(this, secret.variable, {
      type: "string",
      sensitive: true,
      nullable: false,
      description: `The ${kind} URL of contact point "${this.name}": export TF_VAR_${secret.variable}`,
    });
    variable.overrideLogicalId(secret.variable);
    return variable.stringValue;
  }
}

const SLACK_TITLE = "{{ .CommonLabels.alertname }} ({{ .Status }})";
const SLACK_TEXT =
  "{{ range .Alerts }}{{ .Annotations.summary }} ({{ .Annotations.runbook }})\n{{ end }}";
