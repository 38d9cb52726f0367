import { ContactPoint as ContactPointResource } from "@cdktf/provider-grafana/lib/contact-point";
import { TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import * as v from "valibot";
import { checkDeclared, type Declared, object } from "../container/declaration";
import { validate } from "../container/validation";

const secretSchema = object({
  /** Name of the Terraform variable: lower-case letters, digits and "_". */
  variable: v.string(),
});

/**
 * A value that is nowhere in this repository nor in what is synthesized: it comes from the variable `TF_VAR_<variable>` of the
 * shell that deploys.
 */
export type Secret = Declared<typeof secretSchema>;

const contactPointSchema = object({
  /** By which policies and routes refer to it. */
  name: v.string(),

  /** Addresses; Grafana needs the environment's `smtp` to reach them. */
  email: v.optional(object({ addresses: v.array(v.string()) })),

  /** Grafana posts JSON (https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/). */
  webhook: v.optional(object({ url: secretSchema })),

  /** An incoming webhook of Slack's. */
  slack: v.optional(object({ url: secretSchema })),
});

/** Who hears of an alert, by exactly one way. */
export type ContactPointProps = Declared<typeof contactPointSchema>;

const KINDS = ["email", "webhook", "slack"] as const;

/** Throws on a contact point that nobody could be reached by. */
export function validateContactPoint(props: ContactPointProps, scope?: Construct): void {
  const { name } = props;
  for (const kind of ["webhook", "slack"] as const) {
    // Before its shape is looked at: what stands in its place may be the secret itself, and is not shown.
    validate(
      props[kind] === undefined || /^[a-z][a-z0-9_]*$/.test(props[kind]?.url?.variable ?? ""),
      () =>
        `contact point "${name}" has no Terraform variable for its ${kind} URL: set url to { variable: "${kind}_url" } and export TF_VAR_${kind}_url before you deploy`,
      scope,
    );
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
      name: props.name,
      email: props.email && [{ addresses: [...props.email.addresses], singleEmail: true }],
      webhook: props.webhook && [{ url: this.secret("webhook", props.webhook.url) }],
      slack: props.slack && [
        { url: this.secret("slack", props.slack.url), title: SLACK_TITLE, text: SLACK_TEXT },
      ],
    });
  }

  private secret(kind: string, secret: Secret): string {
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
