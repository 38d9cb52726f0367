import type { TerraformStack } from "cdktf";
import type { Backup } from "../../constructs";
import type { Environment } from "../../environments";
import { laptop } from "../../environments/laptop";
import { validateEnvironment } from "../../environments/validate";
import { labThree } from "../../lab/environments";
import { principalsOf } from "../../secrets/platform-secrets";
import { machineOf } from "../../stacks/placement";
import {
  container,
  containers,
  envOf,
  fileOf,
  type Json,
  resources,
  synthesize,
} from "../support/platform";

const VOLUME: Backup = { repository: { kind: "volume" } };
const PATH: Backup = { repository: { kind: "path", path: "/mnt/backups" } };
const MOUNT = "/usr/share/opensearch/backups";
const NODES = ["opensearch-1", "opensearch-2", "opensearch-3"];

const withBackup = (backup: Backup, environment: Environment = laptop): Environment => ({
  ...environment,
  backup,
});

const { stacks } = synthesize(withBackup(VOLUME));
const sidecar = container(stacks, "os-backup");

const mountOf = (body: Json) =>
  body.volumes.filter(({ container_path }: Json) => container_path === MOUNT);

describe("an environment with backups in a volume", () => {
  test("has the volume in a stack of its own, which down --volumes does not destroy", () => {
    expect(Object.values<Json>(stacks["laptop-backup"].resource.docker_volume)).toMatchObject([
      { name: "opensearch-backups", lifecycle: { prevent_destroy: true } },
    ]);
  });

  test("mounts it in every node and in os-backup, and nodes may write repositories there alone", () => {
    for (const body of [...NODES.map((name) => container(stacks, name)), sidecar]) {
      expect(mountOf(body)).toEqual([{ container_path: MOUNT, volume_name: "opensearch-backups" }]);
    }
    expect(NODES.map((name) => envOf(container(stacks, name))["path.repo"])).toEqual([
      ...[MOUNT, MOUNT, MOUNT],
    ]);
  });

  test("has os-backup give a new volume to the nodes' group, without capabilities", () => {
    expect(sidecar.user).toBe("0:1000");
    expect(sidecar.capabilities).toEqual({ drop: ["ALL"] });
    expect(envOf(sidecar).REPOSITORY_DIR).toBe(MOUNT);
    expect(sidecar.ports).toEqual([]);
    expect(sidecar.networks_advanced.map(({ name }: Json) => name)).toEqual(["infra_net"]);
  });

  test("registers a folder of the environment, once a day, and keeps 14 backups by default", () => {
    expect(JSON.parse(fileOf(sidecar, "/groundwork/repository.json"))).toEqual({
      type: "fs",
      settings: { location: `${MOUNT}/laptop`, groundwork_storage: "volume" },
    });
    expect(envOf(sidecar)).toMatchObject({ BACKUP_EVERY_SECONDS: "86400", BACKUP_KEEP: "14" });
    expect(envOf(sidecar).BACKUP_LOOK_SECONDS).toBe("300");
    const everyMinute = synthesize(withBackup({ ...VOLUME, every: "1m" })).stacks;
    expect(envOf(container(everyMinute, "os-backup")).BACKUP_LOOK_SECONDS).toBe("60");
    expect(envOf(sidecar).BACKUP_PATH).toBeUndefined();
    const onPath = synthesize(withBackup(PATH)).stacks;
    expect(envOf(container(onPath, "os-backup")).BACKUP_PATH).toBe("/mnt/backups");
    const body = fileOf(container(onPath, "os-backup"), "/groundwork/repository.json");
    expect(JSON.parse(body).settings.groundwork_storage).toBe("/mnt/backups");
    const often = synthesize(withBackup({ ...VOLUME, every: "30m", keep: 3 })).stacks;
    expect(envOf(container(often, "os-backup"))).toMatchObject({
      ...{ BACKUP_EVERY_SECONDS: "1800", BACKUP_KEEP: "3" },
    });
  });

  test.each([
    ["1d", 1.5 * 86_400],
    ["30m", 1800 + 3600],
  ])(
    "tells Prometheus the age at which the newest good backup is too old: every %s",
    (every, age) => {
      const { stacks: declared } = synthesize(withBackup({ ...VOLUME, every }));
      const rules = fileOf(container(declared, "prometheus"), "/etc/prometheus/declared.json");
      expect(JSON.parse(rules).groups[0].rules).toContainEqual({
        record: "groundwork_declared_backup_max_age_seconds",
        expr: `vector(${age})`,
      });
    },
  );

  test("has Alloy read the log of os-backup, and the alerts on its age", () => {
    const alloy = container(stacks, "alloy");
    expect(envOf(alloy).BACKUP).toBe("os-backup");
    expect(alloy.upload.map(({ file }: Json) => file)).toContain("/groundwork/alloy/backup.alloy");
    expect(JSON.stringify(stacks["laptop-alerting"])).toContain("BackupTooOld");
  });
});

test("an environment without backups has nothing of them", () => {
  const { stacks: without } = synthesize(laptop);
  expect(Object.keys(without)).not.toContain("laptop-backup");
  expect(containers(without).map(({ name }) => name)).not.toContain("os-backup");
  expect(JSON.stringify(without)).not.toMatch(
    /path\.repo|BackupTooOld|backup\.alloy|_declared_backup/,
  );
});

describe("an environment with backups on a path of the host", () => {
  const { stacks: onPath } = synthesize(withBackup(PATH, labThree));

  test("mounts it writable in every node, and os-backup does not see it", () => {
    for (const name of NODES) {
      const body = container(onPath, name);
      expect(mountOf(body)).toEqual([{ container_path: MOUNT, host_path: "/mnt/backups" }]);
      expect(body.security_opts).toContain("label=disable");
    }
    expect(container(onPath, "os-backup")).toMatchObject({ user: "65534:65534", volumes: [] });
    expect(resources(onPath, "docker_volume").map(({ name }) => name)).not.toContain(
      "opensearch-backups",
    );
  });

  test("runs os-backup on the first machine that is not excluded", () => {
    const environment = withBackup(PATH, labThree);
    expect(machineOf(environment, "os-backup")?.name).toBe("a");
    const without = { ...environment, excludedMachines: ["a"] };
    expect(machineOf(without, "os-backup")?.name).toBe("b");
  });
});

describe("several machines", () => {
  test("refuse a volume, which is on one of them", () => {
    expect(() => synthesize(withBackup(VOLUME, labThree))).toThrow(
      'backup.repository of environment "lab-three" has kind "volume", and a volume is on one machine, but OpenSearch has nodes on a, b, c: mount the same storage on each of them and set repository: { kind: "path", path: "/mnt/backups" }',
    );
  });

  test("take a volume if one has all nodes, and run os-backup there", () => {
    const placement = Object.fromEntries(NODES.map((name) => [name, "b"]));
    const environment = withBackup(VOLUME, { ...labThree, placement });
    const { app, stacks: placed } = synthesize(environment);
    const stackOf = (layer: string) => app.node.findChild(`lab-three-${layer}-b`) as TerraformStack;
    expect(stackOf("data").dependsOn(stackOf("backup"))).toBe(true);
    expect(machineOf(environment, "os-backup")?.name).toBe("b");
    expect(Object.values<Json>(placed["lab-three-backup-b"].resource.docker_volume)).toMatchObject([
      { name: "opensearch-backups" },
    ]);
    const { resource } = placed["lab-three-data-b"];
    expect(Object.values<Json>(resource.docker_container).map(({ name }) => name)).toContain(
      "os-backup",
    );
  });
});

describe("a bucket", () => {
  const repository = { kind: "s3", bucket: "copies" } as const;
  const image = "registry.example.org/opensearch-s3:3.8.0";

  test("is refused with the default image, which lacks the plugin", () => {
    expect(() => synthesize(withBackup({ repository }))).toThrow(
      'backup.repository has kind "s3", and image opensearchproject/opensearch:3.8.0 lacks the plugin repository-s3: set openSearch.image to an image with it (docs/how-to/backup.md), or use kind "volume" or "path"',
    );
  });

  test("of another API than Amazon's has a region, which the plugin requires", () => {
    const at = (endpoint?: string) => {
      const inBucket = { ...withBackup({ repository: { ...repository, endpoint } }) };
      const { stacks } = synthesize({ ...inBucket, openSearch: { ...laptop.openSearch, image } });
      const file = fileOf(container(stacks, "os-backup"), "/groundwork/repository.json");
      return JSON.parse(file).settings;
    };
    const own = { bucket: "copies", base_path: "laptop" };
    expect(at("http://s3.example.org:9000")).toEqual({
      ...{ ...own, region: "us-east-1", endpoint: "http://s3.example.org:9000" },
    });
    expect(at()).toEqual(own);
  });

  test("changes no node of an image with the plugin", () => {
    const openSearch = { ...laptop.openSearch, image };
    const options = { region: "eu-1", endpoint: "https://s3.example.org", pathStyleAccess: true };
    const plain = synthesize({ ...laptop, openSearch }).stacks;
    const { stacks: inBucket } = synthesize({
      ...withBackup({ repository: { ...repository, ...options } }),
      openSearch,
    });
    expect(container(inBucket, "opensearch-1")).toEqual(container(plain, "opensearch-1"));
    const body = container(inBucket, "os-backup");
    expect(JSON.parse(fileOf(body, "/groundwork/repository.json"))).toEqual({
      type: "s3",
      settings: {
        ...{ bucket: "copies", base_path: "laptop", region: "eu-1" },
        ...{ endpoint: "https://s3.example.org", path_style_access: "true" },
      },
    });
    expect(fileOf(body, "/groundwork/repository.fields")).toBe(
      'settings.base_path="laptop"\nsettings.bucket="copies"\nsettings.endpoint="https://s3.example.org"\nsettings.path_style_access="true"\nsettings.region="eu-1"\ntype="s3"\n',
    );
  });
});

describe("a secured environment with backups", () => {
  const secured = { ...withBackup(VOLUME), security: "tls" } as const;
  const { stacks: withTls } = synthesize(secured);

  test("gives os-backup a certificate of its own, which may take backups and restore none", () => {
    expect(principalsOf(secured).get("os-backup")).toEqual(["os-backup"]);
    expect(principalsOf({ ...secured, backup: undefined }).has("os-backup")).toBe(false);
    const body = container(withTls, "os-backup");
    expect(body.upload.map(({ source }: Json) => source).filter(Boolean)).toContainEqual(
      expect.stringContaining("key-pairs/os-backup.pem"),
    );
    const role = fileOf(
      container(withTls, "os-security"),
      "/groundwork/applications/os-backup.role.json",
    );
    const { cluster_permissions, index_permissions } = JSON.parse(role);
    expect(cluster_permissions).toContain("cluster:admin/snapshot/create");
    expect(cluster_permissions.join()).not.toMatch(/restore|\*(?!$)|snapshot\/\*/);
    expect(index_permissions).toBeUndefined();
  });

  test("starts os-backup once os-security has given it its permissions", () => {
    const [, body] = Object.entries<Json>(withTls["laptop-data"].resource.docker_container).find(
      ([, { name }]) => name === "os-backup",
    ) as [string, Json];
    expect(body.depends_on.join()).toMatch(/os-security/);
  });
});

test.each([
  [
    { ...VOLUME, every: "1w" },
    'backup.every is "1w": it must be a number of minutes, hours or days, such as "30m", "6h" or "1d"',
  ],
  [{ ...VOLUME, every: "0m" }, 'backup.every is "0m"'],
  [{ ...VOLUME, keep: 0 }, "backup.keep is 0: it must be a whole number from 1 to 1000"],
  [
    { repository: { kind: "path", path: "backups" } },
    'backup.repository.path is "backups": it must be the absolute path of a mount, such as /mnt/backups',
  ],
  [{ repository: { kind: "path", path: "/" } }, 'backup.repository.path is "/"'],
  [
    { repository: { kind: "nfs" } },
    'backup.repository.kind is "nfs": it must be "volume", "path" or "s3"',
  ],
  [{ repository: { kind: "s3" } }, "backup.repository.bucket is missing: it must be a string"],
  [{ every: "1d" }, "backup.repository is missing"],
])("backup %j is refused", (backup, message) => {
  expect(() => validateEnvironment("laptop", withBackup(backup as Backup))).toThrow(message);
});
