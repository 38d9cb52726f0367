import { catalog } from "../../../catalog";
import { environments } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { container, envOf, fileOf, type Json, synthesize } from "../../support/platform";

const { stacks } = synthesize(laptop);

describe("Grafana", () => {
  const grafana = container(stacks, "grafana");

  test("has every dashboard as a file, in the folder of its directory", () => {
    const files = grafana.upload
      .map(({ file }: Json) => file)
      .filter((file: string) => file.startsWith("/etc/grafana/dashboards/"));
    expect(files.sort()).toEqual(
      catalog.dashboards
        .without("groundwork-security")
        .dashboards.map(({ file }) => `/etc/grafana/dashboards/${file}`)
        .sort(),
    );
  });

  test("refuses to save or delete a dashboard, and looks for a change of a file every 10 s", () => {
    const provider = fileOf(grafana, "/etc/grafana/provisioning/dashboards/groundwork.yaml");
    expect(provider).toContain("allowUiUpdates: false");
    expect(provider).toContain("disableDeletion: true");
    expect(provider).toContain("updateIntervalSeconds: 10");
    expect(provider).toContain("foldersFromFilesStructure: true");
  });

  test("has its data sources under fixed uids", () => {
    const { datasources } = JSON.parse(
      fileOf(grafana, "/etc/grafana/provisioning/datasources/groundwork.yaml"),
    );
    expect(
      datasources.map(({ uid, type, url, editable }: Json) => ({ uid, type, url, editable })),
    ).toEqual([
      {
        uid: "prometheus",
        type: "prometheus",
        url: "http://prometheus.infra_net:9090",
        editable: false,
      },
      { uid: "loki", type: "loki", url: "http://loki.infra_net:3100", editable: false },
    ]);
  });

  test("allows no sign-up, no anonymous access, and no editing as a viewer", () => {
    const ini = fileOf(grafana, "/etc/grafana/grafana.ini");
    expect(ini).toMatch(/\[users\]\nallow_sign_up = false\nviewers_can_edit = false/);
    expect(ini).toMatch(/\[auth\.anonymous\]\nenabled = false/);
  });

  test("reads its admin password from a file, of which only path and hash are synthesized", () => {
    const file = "../../../.state/laptop/grafana-admin-password";
    expect(grafana.upload.filter(({ content }: Json) => content === undefined)).toEqual([
      {
        file: "/etc/grafana/admin-password",
        source: file,
        source_hash: `\${filesha256("${file}")}`,
        permissions: "0440",
      },
    ]);
    expect(grafana.env).toEqual([
      "GF_SECURITY_ADMIN_PASSWORD=$__file{/etc/grafana/admin-password}",
      "ADMIN_PASSWORD_FILE=/etc/grafana/admin-password",
    ]);
  });

  test("starts as its image does, after it has set the password", () => {
    expect(grafana.entrypoint).toEqual(["sh", "/groundwork/start.sh", "/run.sh"]);
    expect(fileOf(grafana, "/groundwork/start.sh")).toContain("reset-admin-password");
  });

  test("asks Terraform for the password only with adminPassword variable", () => {
    expect(stacks["laptop-observability"].variable).toBeUndefined();
    const production = synthesize(environments.production).stacks["production-observability"];
    expect(production.variable.grafana_admin_password).toEqual({
      type: "string",
      sensitive: true,
      description:
        'Password of Grafana\'s user "admin": export TF_VAR_grafana_admin_password, also for synth',
    });
  });

  test("sends email if the environment declares smtp", () => {
    const { stacks: withSmtp } = synthesize({
      ...laptop,
      grafana: { ...laptop.grafana, smtp: { host: "smtp:25", fromAddress: "grafana@example.org" } },
    });
    expect(envOf(container(withSmtp, "grafana"))).toMatchObject({
      GF_SMTP_ENABLED: "true",
      GF_SMTP_HOST: "smtp:25",
      GF_SMTP_FROM_ADDRESS: "grafana@example.org",
    });
  });
});
