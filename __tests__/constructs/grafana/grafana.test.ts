// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's placeholders are written so.
import { catalog } from "../../../catalog";
import { environments } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { validateEnvironment } from "../../../environments/validate";
import { container, envOf, fileOf, type Json, synthesize } from "../../support/platform";

const { stacks } = synthesize(laptop);

describe("Grafana", () => {
  const grafana = container(stacks, "grafana");

  test("has every dashboard as a file, in the folder of its directory", () => {
    const files = grafana.upload
      .map(({ file }: Json) => file)
      .filter((file: string) => file.startsWith("/etc/grafana/dashboards/"));
    expect(files.sort()).toEqual(
      catalog.dashboards.dashboards.map(({ file }) => `/etc/grafana/dashboards/${file}`).sort(),
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
      "GF_SERVER_ROOT_URL=http://localhost:3000/",
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

  describe("with an identity provider", () => {
    const oidc = {
      clientId: "grafana",
      authUrl: "https://id.example.org/authorize",
      tokenUrl: "https://id.example.org/token",
      apiUrl: "https://id.example.org/userinfo",
    };
    const withGrafana = (settings: object) =>
      container(
        synthesize({ ...laptop, grafana: { ...laptop.grafana, ...settings } }).stacks,
        "grafana",
      );
    const settingsOf = (body: Json) =>
      Object.fromEntries(
        Object.entries(envOf(body))
          .filter(([name]) => name.startsWith("GF_AUTH_"))
          .map(([name, value]) => [name.replace("GF_AUTH_GENERIC_OAUTH_", ""), value]),
      );

    test("lets everyone whom it knows sign in as a viewer, and keeps the admin's login", () => {
      expect(settingsOf(withGrafana({ oidc }))).toEqual({
        ENABLED: "true",
        NAME: "OpenID Connect",
        CLIENT_ID: "grafana",
        CLIENT_SECRET: "$__file{/etc/grafana/oidc-client-secret}",
        AUTH_URL: "https://id.example.org/authorize",
        TOKEN_URL: "https://id.example.org/token",
        API_URL: "https://id.example.org/userinfo",
        SCOPES: "openid profile email",
        USE_PKCE: "true",
        ALLOW_SIGN_UP: "true",
        ROLE_ATTRIBUTE_STRICT: "false",
      });
    });

    test("takes roles from claims and limits domains, if declared", () => {
      const limits = {
        ...{ name: "Example", scopes: ["openid", "groups"] },
        roleAttributePath: "contains(groups[*], 'sre') && 'Admin'",
        ...{ roleAttributeStrict: true, allowedDomains: ["example.org", "example.com"] },
      };
      expect(settingsOf(withGrafana({ oidc: { ...oidc, ...limits } }))).toMatchObject({
        NAME: "Example",
        SCOPES: "openid groups",
        ROLE_ATTRIBUTE_PATH: "contains(groups[*], 'sre') && 'Admin'",
        ROLE_ATTRIBUTE_STRICT: "true",
        ALLOWED_DOMAINS: "example.org example.com",
      });
    });

    test("reads the client secret from a file, of which only path and hash are synthesized", () => {
      const file = "../../../.state/laptop/secrets/grafana/oidc-client-secret";
      expect(withGrafana({ oidc }).upload.filter(({ source }: Json) => source === file)).toEqual([
        {
          file: "/etc/grafana/oidc-client-secret",
          source: file,
          source_hash: `\${filesha256("${file}")}`,
          permissions: "0440",
        },
      ]);
    });

    test("redirects browsers to the declared URL, with one slash at its end", () => {
      for (const rootUrl of ["https://grafana.example.org", "https://grafana.example.org/"]) {
        expect(envOf(withGrafana({ oidc, rootUrl })).GF_SERVER_ROOT_URL).toBe(
          "https://grafana.example.org/",
        );
      }
    });

    test.each<[string, object, string]>([
      ["http", { oidc: { ...oidc, tokenUrl: "http://id.example.org/token" } }, "https://"],
      ["a placeholder", { oidc: { ...oidc, clientId: "$__env{HOME}" } }, "a text without ${"],
      ["a scope with a space", { oidc: { ...oidc, scopes: ["openid email"] } }, "without spaces"],
      ["no token URL", { oidc: { ...oidc, tokenUrl: undefined } }, "tokenUrl"],
      ["a path", { rootUrl: "https://example.org/grafana" }, "a URL without a path"],
    ])("is rejected with %s", (_, settings, message) => {
      const environment = { ...laptop, grafana: { ...laptop.grafana, ...settings } };
      expect(() => validateEnvironment("laptop", environment)).toThrow(message);
    });
  });
});
