import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import execa from "execa";
import { unescapeTemplate } from "../../constructs/container/file";
import { docker } from "../../operations/engine/docker";
import type { ContainerResource } from "../../operations/synthesis/container";
import { stackFolder } from "../../operations/synthesis/project";

export interface MeasuredRun {
  /** The last line of the log. */
  readonly exit: { exit_code: number; duration_ms: number; created: number; unchanged: number };
  /** Peak memory without the page cache that the kernel can drop. */
  readonly peakMiB: number;
}

/** Runs a synthesized sidecar outside of Terraform, with replaced content of some files. */
export async function runSidecar(
  { stack, body }: ContainerResource,
  image: string,
  replaced: Readonly<Record<string, string | Buffer>>,
): Promise<MeasuredRun> {
  const { user, entrypoint = [], env = [], tmpfs = {}, upload = [] } = body;
  const [network] = body.networks_advanced;
  const memory = `${body.memory}m`;
  const id = await docker(
    ...[
      "create",
      "--label",
      "groundwork.trial",
      "--init",
      "--network",
      network.name,
      ...(user ? ["--user", user] : []),
      ...Object.entries(tmpfs).flatMap(([path, options]) => ["--tmpfs", `${path}:${options}`]),
    ],
    ...["--memory", memory, "--memory-swap", memory],
    ...env.flatMap((entry) => ["--env", entry]),
    ...["--entrypoint", entrypoint[0], image, ...entrypoint.slice(1)],
  );
  const root = mkdtempSync(join(tmpdir(), "groundwork-bench-"));
  try {
    chmodSync(root, 0o755);
    for (const { file, content = "", source } of upload) {
      const path = join(root, file);
      mkdirSync(dirname(path), { recursive: true });
      if (file in replaced) {
        writeFileSync(path, replaced[file]);
      } else if (source) {
        copyFileSync(join(stackFolder(stack), source), path);
      } else {
        writeFileSync(path, unescapeTemplate(content));
      }
    }
    await docker("cp", `${root}/.`, `${id}:/`);
    const peak = watchMemory(id);
    // The last line of the log has the exit code.
    const { stdout: log } = await execa("docker", ["start", "--attach", id], {
      reject: false,
      stderr: "inherit",
      stdin: "ignore",
    });
    const exit = JSON.parse(log.trim().split("\n").pop() ?? "{}");
    return { exit, peakMiB: peak() };
  } finally {
    rmSync(root, { recursive: true, force: true });
    await docker("rm", "--force", id);
  }
}

/** Polls the memory of a local container from its control group. Returns a function that stops polling and returns the peak in MiB. */
function watchMemory(id: string): () => number {
  const v1 = `/sys/fs/cgroup/memory/docker/${id}`;
  const v2 = `/sys/fs/cgroup/system.slice/docker-${id}.scope`;
  let peak = 0;
  const timer = setInterval(() => {
    try {
      const isV1 = existsSync(v1);
      const group = isV1 ? v1 : v2;
      const used = Number(
        readFileSync(join(group, isV1 ? "memory.usage_in_bytes" : "memory.current"), "utf8"),
      );
      const stat = readFileSync(join(group, "memory.stat"), "utf8");
      const droppable = Number(/^(?:total_)?inactive_file (\d+)/m.exec(stat)?.[1] ?? 0);
      peak = Math.max(peak, used - droppable);
    } catch {
      // The container has not started yet, or has ended.
    }
  }, 20);
  return () => {
    clearInterval(timer);
    return peak / 1024 / 1024;
  };
}
