import type { AlertGroup, Application } from "../constructs";
import { BACKUP_PRINCIPAL } from "../constructs/opensearch/backup";
import { CLIENTS } from "../constructs/security/principals";
import type { Environment } from "../environments";
import { certificatesOf } from "../secrets/platform-secrets";

/** Certificates of services that Alloy cannot measure at a listener: those of clients, and Grafana's. */
const UNMEASURED: readonly string[] = [...CLIENTS, BACKUP_PRINCIPAL, "grafana"];

/** As for the certificates that Alloy measures: alerts/security.yml. */
const WARN_DAYS = 21;

/**
 * Returns an alert on the expiry of the certificates that Alloy cannot measure, also those of applications, and of the CAs. Their dates
 * are constants of the rule, so a deploy that renews one changes the rule.
 */
export function certificateAlert(
  environment: Environment,
  applications: readonly Application[],
): AlertGroup {
  const { principals, caBundle, ...ofApplications } = certificatesOf(environment, applications);
  return certificateAlertOf(
    new Map([
      ...[...principals].filter(([name]) => UNMEASURED.includes(name)),
      ...ofApplications.applications,
      ...caBundle,
    ]),
  );
}

/** Returns the alert for certificates, by name, that expire at these times. @internal */
export function certificateAlertOf(expiries: ReadonlyMap<string, Date>): AlertGroup {
  const series = [...expiries].map(([name, expiry]) => {
    const label = JSON.stringify(name.replaceAll("\n", ", ").replaceAll("$", "$$$$"));
    return `label_replace(vector(${Math.floor(expiry.getTime() / 1000)}), "certificate", ${label}, "", "")`;
  });
  return {
    // Not a name that rules from elsewhere may have, such as "certificates".
    name: "groundwork-certificates",
    interval: "1m",
    rules: [
      {
        alert: "ClientCertificateExpiring",
        expr: `(${series.join(" or ")}) - time() < ${WARN_DAYS} * 86400`,
        labels: { severity: "warning" },
        annotations: {
          summary:
            "The certificate {{ $labels.certificate }} expires in {{ $value | humanizeDuration }}",
          runbook: "docs/runbooks/ClientCertificateExpiring.md",
        },
      },
    ],
  };
}
