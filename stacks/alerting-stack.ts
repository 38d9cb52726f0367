import { Folder } from "@cdktf/provider-grafana/lib/folder";
import { GrafanaProvider } from "@cdktf/provider-grafana/lib/provider";
import { Fn, TerraformVariable } from "cdktf";
import type { Construct } from "constructs";
import {
  type AlertGroup,
  ContactPoint,
  Heartbeat,
  httpScheme,
  MuteTiming,
  NotificationPolicy,
  type Notifications,
  ReaderAccount,
  RuleGroup,
} from "../constructs";
import type { Environment } from "../environments";
import { grafanaAdminPassword } from "./grafana-admin-password";
import type { ObservabilityStack } from "./observability-stack";
import { PlatformStack } from "./platform-stack";
import { securityOf } from "./security";

export interface AlertingStackProps {
  readonly observability: ObservabilityStack;
  readonly alertGroups: readonly AlertGroup[];
  readonly notifications: Notifications;
}

/** Alert rules, contact points and notification policy in the running Grafana. */
export class AlertingStack extends PlatformStack {
  constructor(
    scope: Construct,
    layer: string,
    environment: Environment,
    { observability, alertGroups, notifications }: AlertingStackProps,
  ) {
    super(scope, layer, environment);
    this.addDependency(observability);
    const { hostPorts, machines } = environment;
    const security = securityOf(environment);
    const scheme = httpScheme(security !== undefined);
    const url = new TerraformVariable(this, "grafana_url", {
      type: "string",
      // With several machines, Grafana's loopback port may be on another machine than Terraform.
      default: hostPorts && !machines ? `${scheme}://localhost:${hostPorts.grafana}` : undefined,
      description: "URL at which Terraform reaches Grafana: export TF_VAR_grafana_url",
    });
    const caBundle =
      security &&
      new TerraformVariable(this, "grafana_ca_cert", {
        type: "string",
        default: security.caBundle,
        description:
          "PEM file of the CAs that verify Grafana's certificate: export TF_VAR_grafana_ca_cert if a proxy with another CA is in front",
      });
    const login = `admin:${grafanaAdminPassword(this, environment).value}`;
    new GrafanaProvider(this, "grafana", {
      url: url.stringValue,
      auth: login,
      caCert: caBundle?.stringValue,
      // The provider trims spaces off the password in `auth`; this header overrides it.
      httpHeaders: { Authorization: `Basic ${Fn.base64encode(login)}` },
    });

    const contactPoints = notifications.contactPoints.map(
      (props) => new ContactPoint(this, `contact-point-${props.name}`, props),
    );
    const muteTimings = notifications.muteTimings.map(
      (props) => new MuteTiming(this, `mute-timing-${props.name}`, props),
    );
    new NotificationPolicy(this, "notification-policy", notifications.policy, {
      contactPoints,
      muteTimings,
      heartbeat:
        notifications.heartbeat && new Heartbeat(this, "heartbeat", notifications.heartbeat),
    });
    const folder = new Folder(this, "folder", { uid: "groundwork-alerts", title: "Alerts" });
    for (const group of alertGroups.filter(({ rules }) => rules.length > 0)) {
      new RuleGroup(this, `rules-${group.name}`, {
        group,
        folderUid: folder.uid,
        dataSourceUid: "prometheus",
      });
    }
    new ReaderAccount(this, "reader", { name: "groundwork-reader" });
  }
}
