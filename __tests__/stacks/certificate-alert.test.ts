import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog } from "../../catalog";
import { labSecured } from "../../lab/environments";
import { makeKeyPairs } from "../../secrets/platform-secrets";
import { SECRET_FILES } from "../../secrets/secret-files";
import { certificateAlert, certificateAlertOf } from "../../stacks/certificate-alert";
import { synthesizePlatform } from "../../stacks/platform";
import { issue } from "../support/issued";
import { ownSecrets } from "../support/own-secrets";
import type { Json } from "../support/platform";
import { ROOT } from "../support/root";

const folder = mkdtempSync(join(tmpdir(), "certificate-alert-"));
afterAll(() => rmSync(folder, { recursive: true }));

const DAY_SECONDS = 86_400;
const promtool = execFileSync(join(ROOT, "lab", "promtool.sh"), { encoding: "utf8" }).trim();

/** Evaluates the alert from 1970 on, after that many days. Returns promtool's complaint about the certificates that alert, if any. */
function complaint(group: ReturnType<typeof certificateAlertOf>, days: number, firing: Json[]) {
  writeFileSync(join(folder, "rules.json"), JSON.stringify({ groups: [group] }));
  const test = {
    rule_files: ["rules.json"],
    evaluation_interval: "1h",
    tests: [
      {
        interval: "1h",
        alert_rule_test: [
          {
            alertname: "ClientCertificateExpiring",
            eval_time: `${days}d`,
            exp_alerts: firing,
          },
        ],
      },
    ],
  };
  writeFileSync(join(folder, "test.json"), JSON.stringify(test));
  const { status, output } = spawnSync(promtool, ["test", "rules", join(folder, "test.json")], {
    encoding: "utf8",
  });
  return status === 0 ? "" : output.join("");
}

const after = (days: number) => new Date(days * DAY_SECONDS * 1000);
const alertOf = (certificate: string, rest: string) => ({
  exp_labels: { certificate, severity: "warning" },
  exp_annotations: {
    summary: `The certificate ${certificate} expires in ${rest}`,
    runbook: "docs/runbooks/ClientCertificateExpiring.md",
  },
});

test("a certificate alerts in its last 21 days, by its name, and not before", () => {
  const group = certificateAlertOf(
    new Map([
      ["alloy", after(30)],
      ['CN=a "quoted" $1 CA\nO=x', after(29)],
      ["grafana", after(60)],
    ]),
  );
  expect(complaint(group, 7, [])).toBe("");
  expect(
    complaint(group, 10, [
      alertOf("alloy", "20d 0h 0m 0s"),
      alertOf('CN=a "quoted" $1 CA, O=x', "19d 0h 0m 0s"),
    ]),
  ).toBe("");
  const renewed = certificateAlertOf(new Map([["alloy", after(120)]]));
  expect(complaint(renewed, 10, [])).toBe("");
});

test("its runbook says what it means, how to look, what to do and when it clears", () => {
  const [{ annotations }] = certificateAlertOf(new Map()).rules;
  const text = readFileSync(join(ROOT, annotations.runbook), "utf8");
  for (const heading of ["What it means", "Look", "Do", "When it clears"]) {
    expect(text).toContain(`\n## ${heading}\n`);
  }
});

describe("a secured environment", () => {
  const environment = { ...labSecured, name: "certificate-alert-test", excludedServices: [] };
  const made = join(folder, "secrets");
  beforeAll(() => makeKeyPairs(made, environment, []));
  const own = ownSecrets(environment, made);
  afterAll(() => rmSync(join(own, ".."), { recursive: true }));

  test("covers Grafana, all clients and the CA", () => {
    const [{ expr }] = certificateAlert(environment, []).rules;
    const names = [...expr.matchAll(/"certificate", "([^"]+)"/g)].map(([, name]) => name);
    expect(names.sort()).toEqual([
      expect.stringMatching(/^CN=groundwork certificate-alert-test [0-9a-f]{8}$/),
      ...["alloy", "checks", "grafana", "kafka-init", "os-admin", "os-init"],
    ]);
    const [, first] = /vector\((\d+)\)/.exec(expr) ?? [];
    expect(Number(first)).toBeGreaterThan(Date.now() / 1000);
  });

  test("covers the certificates of applications", async () => {
    const applications = [
      { name: "shop", authentication: "certificate" } as const,
      { name: "ledger" },
    ];
    await makeKeyPairs(own, environment, applications);
    const [{ expr }] = certificateAlert(environment, applications).rules;
    expect(expr).toContain('"certificate", "shop"');
    expect(expr).not.toContain("ledger");
  });

  test("alerts on the first of two CAs with one subject, such as a CA and its renewal", async () => {
    const bundle = join(own, SECRET_FILES.caBundle);
    const before = readFileSync(bundle, "utf8");
    const expiries = [200, 100, 300].map(
      (days) => new Date(Date.now() + days * DAY_SECONDS * 1000),
    );
    const renewals = await Promise.all(
      expiries.map((notAfter) => issue({ name: "company", isCa: true, notAfter })),
    );
    writeFileSync(bundle, before + renewals.map(({ certificate }) => certificate).join(""));
    const [{ expr }] = certificateAlert(environment, []).rules;
    const [, date] = /vector\((\d+)\), "certificate", "CN=company"/.exec(expr) ?? [];
    expect(Number(date)).toBe(Math.floor(expiries[1].getTime() / 1000));
    writeFileSync(bundle, before);
  });

  test("has the alert in Grafana when it is deployed, and not in a preview without secrets", async () => {
    const rulesOf = async (secrets: boolean) => {
      const outdir = join(folder, `out-${secrets}`);
      await synthesizePlatform(environment, catalog, { outdir, secrets });
      return readFileSync(
        join(outdir, "stacks", `${environment.name}-alerting`, "cdk.tf.json"),
        "utf8",
      );
    };
    expect(await rulesOf(true)).toContain("ClientCertificateExpiring");
    expect(await rulesOf(false)).not.toContain("ClientCertificateExpiring");
  });

  test("may have a group of its own named certificates, and no alert with the same name", async () => {
    const [rule] = catalog.alertGroups[0].rules;
    const withGroup = (name: string, alert: string) => ({
      ...catalog,
      alertGroups: [
        ...catalog.alertGroups,
        { name, interval: "1m", rules: [{ ...rule, alert }] } as const,
      ],
    });
    const synthesize = (name: string, alert: string) =>
      synthesizePlatform(environment, withGroup(name, alert), { outdir: join(folder, "out-own") });
    await synthesize("certificates", "CertificateOfTeam");
    await expect(synthesize("team", "ClientCertificateExpiring")).rejects.toThrow(
      'alert "ClientCertificateExpiring" is declared twice, once by Groundwork: rename yours in its rule file',
    );
    await expect(synthesize("groundwork-certificates", "CertificateOfTeam")).rejects.toThrow(
      'group "groundwork-certificates" is declared twice, once by Groundwork: rename yours in its rule file',
    );
  });
});
