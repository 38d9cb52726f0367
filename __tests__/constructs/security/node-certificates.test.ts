import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { container, type Json, resources, synthesize } from "../../support/platform";
import { ROOT } from "../../support/root";
import { INSTALLED_SHELLS } from "../../support/sidecar";

const NODES = ["kafka-1", "kafka-2", "kafka-3", "opensearch-1", "opensearch-2", "opensearch-3"];

describe("every node of a secured cluster", () => {
  const { stacks } = synthesize(labSecured);
  const mountsOf = (name: string) => container(stacks, name).volumes;

  test("mounts its own certificates, read-only", () => {
    for (const node of NODES) {
      const folder = node.startsWith("kafka")
        ? "/groundwork/tls"
        : "/usr/share/opensearch/config/certificates";
      expect(mountsOf(node)).toContainEqual({
        container_path: folder,
        volume_name: `${node}-certificates`,
        read_only: true,
      });
    }
  });

  test("has no secret of its own, which would replace it when it is renewed", () => {
    for (const node of NODES) {
      const sources = container(stacks, node).upload.map(
        ({ source_hash = "" }: Json) => source_hash,
      );
      expect(sources.filter((hash: string) => hash.includes("filesha256"))).toEqual([]);
    }
  });

  test("starts after a job without a network has copied its certificates into the volume", () => {
    for (const node of NODES) {
      const { depends_on } = container(stacks, node);
      const job = `${node}-certificates`.replaceAll("-", "[-_]");
      expect(depends_on.join()).toMatch(new RegExp(`docker_container\\..*${job}_Job_`));
      expect(container(stacks, `${node}-certificates`)).toMatchObject({
        must_run: false,
        network_mode: "none",
        networks_advanced: [],
        user: "0:1000",
        // Without a category, SELinux lets the node read what the job wrote.
        security_opts: ["no-new-privileges:true", "label=level:s0"],
        volumes: [{ container_path: "/certificates", volume_name: `${node}-certificates` }],
      });
    }
  });

  test("is the only one whose job has its key", () => {
    for (const node of NODES) {
      const holders = resources(stacks, "docker_container").filter(({ upload = [] }) =>
        upload.some(({ source = "" }: Json) => source.endsWith(`/key-pairs/${node}.pem`)),
      );
      expect(holders.map(({ name }) => name)).toEqual([`${node}-certificates`]);
      const { upload } = holders[0];
      const keys = upload.filter(({ file }: Json) => file.startsWith("/groundwork/certificates/"));
      expect(keys.map(({ permissions }: Json) => permissions)).toEqual(keys.map(() => "0440"));
    }
  });

  test("loses its certificates with its stack: Terraform may destroy their volumes", () => {
    const volumes = resources(stacks, "docker_volume").filter(({ name }) =>
      /-certificates$/.test(name),
    );
    expect(volumes.map(({ name }) => name).sort()).toEqual(
      NODES.map((node) => `${node}-certificates`),
    );
    expect(volumes.filter(({ lifecycle }) => lifecycle.prevent_destroy)).toEqual([]);
  });
});

describe.each(INSTALLED_SHELLS)("copy-certificates.sh in %s", (_, shell) => {
  const script = join(ROOT, "constructs", "security", "copy-certificates.sh");
  let folder: string;
  const given = (name: string) => join(folder, "given", name);
  const copied = (name: string) => join(folder, "copied", name);
  const copy = () => {
    const [command, ...args] = shell;
    const { status, stdout, stderr } = spawnSync(
      command,
      [...args, script, join(folder, "given"), join(folder, "copied")],
      { encoding: "utf8" },
    );
    return { status, output: stdout + stderr };
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "copy-certificates-"));
    mkdirSync(join(folder, "given"));
    mkdirSync(join(folder, "copied"));
    writeFileSync(given("node.pem"), "key and certificate");
    writeFileSync(given("ca-bundle.pem"), "ca");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("copies every file, readable for the group of the process only", () => {
    expect(copy()).toEqual({ status: 0, output: "copied ca-bundle.pem node.pem\n" });
    expect(readdirSync(join(folder, "copied"))).toEqual(["ca-bundle.pem", "node.pem"]);
    expect(readFileSync(copied("node.pem"), "utf8")).toBe("key and certificate");
    expect(statSync(copied("node.pem")).mode & 0o777).toBe(0o440);
  });

  test("replaces a file as a whole, so that a node never reads a part of it", () => {
    copy();
    const before = statSync(copied("node.pem")).ino;
    writeFileSync(given("node.pem"), "renewed");
    expect(copy().status).toBe(0);
    expect(readFileSync(copied("node.pem"), "utf8")).toBe("renewed");
    expect(statSync(copied("node.pem")).ino).not.toBe(before);
  });

  test("completes a copy that was interrupted, and removes files that are not given any more", () => {
    writeFileSync(copied("node.pem.new"), "a par", { mode: 0o440 });
    writeFileSync(copied("removed.pem"), "old", { mode: 0o440 });
    expect(copy().status).toBe(0);
    expect(readdirSync(join(folder, "copied"))).toEqual(["ca-bundle.pem", "node.pem"]);
  });

  test("fails with what to check, and keeps the old file, if it cannot write", () => {
    copy();
    writeFileSync(given("node.pem"), "renewed");
    // A folder in the way, as nothing else stops root.
    mkdirSync(join(folder, "copied", "ca-bundle.pem.new"));
    const { status, output } = copy();
    expect(status).not.toBe(0);
    expect(output).not.toBe("");
    expect(readFileSync(copied("node.pem"), "utf8")).toBe("key and certificate");
  });
});
