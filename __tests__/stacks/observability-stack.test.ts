import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TerraformStack, Testing } from "cdktf";
import { catalog } from "../../catalog";
import { DataVolume, Loki, Prometheus } from "../../constructs";
import { laptop } from "../../environments/laptop";
import { adminPasswordFile, ensureSecrets, missingSecrets } from "../../environments/secrets";
import { knownEnvironments } from "../../operations/synthesis/environment";
import { container, envOf, type Json, synthesize } from "../support/platform";

const { stacks } = synthesize(laptop);

/** A file of a container by its path. */
function fileOf(body: Json, path: string): string {
  const found = body.upload.filter(({ file }: Json) => file === path);
  expect(found).toHaveLength(1);
  return found[0].content;
}

/** What Prometheus records of the declaration, as `name{labels}` to number. */
function declared(environment: keyof typeof knownEnvironments, of = catalog) {
  const prometheus = container(synthesize(knownEnvironments[environment], of).stacks, "prometheus");
  const { groups } = JSON.parse(fileOf(prometheus, "/etc/prometheus/declared.json"));
  return Object.fromEntries(
    groups[0].rules.map(({ record, labels = {}, expr }: Json) => [
      [record.replace("groundwork_declared_", ""), ...Object.values(labels)].join(" "),
      Number(/^vector\((\d+)\)$/.exec(expr)?.[1]),
    ]),
  );
}

describe("Prometheus", () => {
  test("knows what is declared, and counts nothing twice", () => {
    const MiB = 1024 * 1024;
    expect(declared("laptop")).toEqual({
      opensearch_nodes: 3,
      kafka_brokers: 3,
      kafka_min_insync_replicas: 2,
      "init_sidecar os-init": 1,
      "init_sidecar kafka-init": 1,
      ...Object.fromEntries(
        Object.values(stacks)
          .flatMap((stack) => Object.values<Json>(stack.resource.docker_container ?? {}))
          .map((body) => [`memory_reservation_bytes ${body.name}`, body.memory_reservation * MiB]),
      ),
    });
  });

  test("knows of every machine where there are several", () => {
    expect(Object.keys(declared("lab-three")).filter((name) => /^machine/.test(name))).toEqual([
      "machine a",
      "machine b",
      "machine c",
    ]);
  });

  test("knows of a topic only what differs from the cluster's default", () => {
    const topics = [
      { name: "relaxed", partitions: 1, configs: { "min.insync.replicas": 1 } },
      { name: "ordinary", partitions: 1 },
    ];
    const metrics = declared("lab", { ...catalog, topics });
    expect(Object.keys(metrics).filter((name) => name.startsWith("kafka_topic"))).toEqual([
      "kafka_topic_min_insync_replicas relaxed",
    ]);
    expect(metrics["kafka_topic_min_insync_replicas relaxed"]).toBe(1);
  });

  test("takes what Alloy sends and keeps it for 15 days", () => {
    const { command } = container(stacks, "prometheus");
    expect(command).toEqual([
      "--config.file=/etc/prometheus/groundwork.yml",
      "--storage.tsdb.path=/prometheus",
      "--storage.tsdb.retention.time=15d",
      "--web.enable-remote-write-receiver",
    ]);
  });
});

test("Loki keeps logs for 14 days unless it is told otherwise, and refuses what is no number of days", () => {
  expect(envOf(container(stacks, "loki"))).toEqual({ LOG_RETENTION: "336h" });
  const scope = new TerraformStack(Testing.app(), "test");
  const props = { network: { name: "n" }, dataVolume: new DataVolume(scope, "v", { name: "v" }) };
  expect(() => new Loki(scope, "loki", { ...props, retentionDays: 0 })).toThrow(
    "retentionDays is 0: Loki keeps logs for a whole number of days from 1 (at test/loki)",
  );
  expect(
    () => new Prometheus(scope, "p", { ...props, declared: () => [], retentionDays: 1.5 }),
  ).toThrow(
    "retentionDays is 1.5: Prometheus keeps metrics for a whole number of days from 1 (at test/p)",
  );
});

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

  test("lets nobody sign up, look without a password, or edit as a viewer", () => {
    const ini = fileOf(grafana, "/etc/grafana/grafana.ini");
    expect(ini).toMatch(/\[users\]\nallow_sign_up = false\nviewers_can_edit = false/);
    expect(ini).toMatch(/\[auth\.anonymous\]\nenabled = false/);
  });

  test("finds its admin password in a file of its own: the path and the hash are all that is synthesized", () => {
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

  test("asks Terraform for the password where the environment wants it given, and nowhere else", () => {
    expect(stacks["laptop-observability"].variable).toBeUndefined();
    const production = synthesize(knownEnvironments.production).stacks["production-observability"];
    expect(production.variable.grafana_admin_password).toEqual({
      type: "string",
      sensitive: true,
      description:
        'Password of Grafana\'s user "admin": export TF_VAR_grafana_admin_password, when you synthesize too',
    });
  });

  test("sends e-mail when the environment says through what", () => {
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

test("an environment can do without Alloy, Loki and Grafana, and then has no alerting either", () => {
  const { stacks: lab } = synthesize(knownEnvironments.lab);
  expect(Object.keys(lab)).toEqual([
    "lab-network",
    "lab-storage",
    "lab-data",
    "lab-messaging",
    "lab-observability",
  ]);
  const names = Object.values<Json>(lab["lab-observability"].resource.docker_container).map(
    ({ name }) => name,
  );
  expect(names).toEqual(["exit-relay", "prometheus"]);
});

describe("the admin password's file", () => {
  const name = "test-of-secrets";
  const environment = { ...laptop, name };
  const file = adminPasswordFile(environment);
  const content = () => readFileSync(file, "utf8");
  afterEach(() => rmSync(join(file, ".."), { recursive: true, force: true }));

  test("is made once, for this user's eyes only", async () => {
    await ensureSecrets(environment, [], "");
    const password = content();
    expect(password).toMatch(/^[\w-]{24}\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await ensureSecrets(environment, [], "");
    expect(content()).toBe(password);
  });

  test.each<[string, "generated" | "variable"]>([
    ["generates one", "generated"],
    ["wants it given", "variable"],
  ])(
    "has the password that is given, to the character, where the environment %s",
    async (_, adminPassword) => {
      const wanting = { ...environment, grafana: { adminPassword } };
      for (const password of [
        " @/: ",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own expansion
        "${x}$__env{HOME}%(admin_user)s",
        "\"'`\\#;&%",
        "пароль 🔑",
      ]) {
        await ensureSecrets(wanting, [], password);
        expect(content()).toBe(`${password}\n`);
      }
      await ensureSecrets(wanting, [], "");
      expect(content()).toBe("пароль 🔑\n");
    },
  );

  test("is not made where a variable has it, or no Grafana is", async () => {
    await ensureSecrets({ ...environment, grafana: { adminPassword: "variable" } }, [], "");
    await ensureSecrets({ ...environment, excludedServices: ["grafana"] }, [], "a password");
    expect(existsSync(file)).toBe(false);
  });

  test.each([
    [
      "four",
      "TF_VAR_grafana_admin_password has 4 bytes: the password of Grafana's user admin needs at least 5; choose a longer one",
    ],
    [
      "two\nlines",
      "TF_VAR_grafana_admin_password has at place 4 what nobody can type, such as a tab, a line break or a byte that is no UTF-8: the password of Grafana's user admin is one line of printable characters; remove it",
    ],
  ])("is not made of what Grafana would not take: %j", async (given, message) => {
    await expect(ensureSecrets(environment, [], given)).rejects.toThrow(message);
    expect(existsSync(file)).toBe(false);
  });

  test("is refused when somebody wrote into it what Grafana would not take", async () => {
    await ensureSecrets(environment, [], "");
    writeFileSync(file, "secret\r\n");
    await expect(ensureSecrets(environment, [], "")).rejects.toThrow(
      "the file .state/test-of-secrets/grafana-admin-password has at place 7 what nobody can type",
    );
  });
});

test("a password that is to be given and is not is missed before Terraform looks for it", () => {
  const wanting = { ...laptop, name: "unit-wanting" };
  expect(missingSecrets({ ...wanting, grafana: { adminPassword: "variable" } })).toEqual([
    "the password of Grafana's user admin is not given: export TF_VAR_grafana_admin_password, or write it into .state/unit-wanting/grafana-admin-password, as npx cdktf needs it, which hides such variables from the app",
  ]);
  expect(missingSecrets({ ...wanting, excludedServices: ["grafana"] })).toEqual([]);
});
