import { ContactPoint as ContactPointResource } from "@cdktf/provider-grafana/lib/contact-point";
import { TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import * as v from "valibot";
import { checkDeclared, type Declared, object } from "../container/declaration";
import { escapeTemplate } from "../container/file";
import { validate } from "../container/validation";

const secretSchema = object({
  /** The name of the Terraform variable: lowercase letters, digits and "_". */
  variable: v.string(),
});

/**
 * A value that is neither in this repository nor in the synthesized configuration. Set `TF_VAR_<variable>` in the shell that deploys.
 */
export type Secret = Declared<typeof secretSchema>;

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
    // Before checkDeclared, whose message would show the value, which may be the secret itself.
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
    const variable = new TerraformVariable(this, secret.variable, {
      type: "string",
      sensitive: true,
      nullable: false,
      description: `The ${kind} URL of contact point "${escapeTemplate(this.name)}": export TF_VAR_${secret.variable}`,
    });
    variable.overrideLogicalId(secret.variable);
    return variable.stringValue;
  }
}

const SLACK_TITLE = "{{ .CommonLabels.alertname }} ({{ .Status }})";
const SLACK_TEXT =
  "{{ range .Alerts }}{{ .Annotations.summary }} ({{ .Annotations.runbook }})\n{{ end }}";
