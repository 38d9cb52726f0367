import { Folder } from "@cdktf/provider-grafana/lib/folder";
import { GrafanaProvider } from "@cdktf/provider-grafana/lib/provider";
import { Fn, TerraformVariable } from "cdktf";
import type { Construct } from "constructs";
import {
  type AlertGroup,
  ContactPoint,
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

/** Alert rules and who hears of them, inside the Grafana that runs. */
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
      // Of several machines it is the loopback address of one that Terraform need not be on.
      default: hostPorts && !machines ? `${scheme}://localhost:${hostPorts.grafana}` : undefined,
      description: "Where Terraform reaches Grafana: export TF_VAR_grafana_url",
    });
    const caBundle =
      security &&
      new TerraformVariable(this, "grafana_ca_cert", {
        type: "string",
        default: security.caBundle,
        description:
          "PEM file of the CAs that Grafana's certificate is verified by: export TF_VAR_grafana_ca_cert where a proxy with one of its own is in front",
      });
    const login = `admin:${grafanaAdminPassword(this, environment).value}`;
    new GrafanaProvider(this, "grafana", {
      url: url.stringValue,
      auth: login,
      caCert: caBundle?.stringValue,
      // The provider cuts spaces off the password in `auth`; a header of ours goes last.
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
    });
    const folder = new Folder(this, "folder", { uid: "groundwork-alerts", title: "Alerts" });
    for (const group of alertGroups) {
      new RuleGroup(this, `rules-${group.name}`, {
        group,
        folderUid: folder.uid,
        dataSourceUid: "prometheus",
      });
    }
    new ReaderAccount(this, "reader", { name: "groundwork-reader" });
  }
}
