import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { uptime } from "node:os";

/** The namespaces of the host itself, which Linux numbers the same everywhere (include/linux/proc_ns.h). */
const HOST_NAMESPACES = { pid: "pid:[4026531836]", uts: "uts:[4026531838]" } as const;

/**
 * Returns what identifies this host across boots, as a hash, since systemd wants the id itself kept secret (machine-id(5)). Empty where the
 * system has none, and in a container, whose id may be that of its image. A distribution of WSL 2 is one of them: it has namespaces of its own.
 */
export function hostId(): string {
  const id = process.platform === "darwin" ? platformUuid() : machineId();
  return id && createHash("sha256").update(`groundwork.lock ${id}`).digest("hex");
}

function machineId(): string {
  const isContainer =
    namespaceOf("pid") !== HOST_NAMESPACES.pid || namespaceOf("uts") !== HOST_NAMESPACES.uts;
  const id = isContainer ? "" : readIfThere("/etc/machine-id").trim();
  // An image that has not booted yet says "uninitialized".
  return /^[0-9a-f]{32}$/.test(id) ? id : "";
}

/** Not `kern.uuid`, which is that of a build of the kernel. */
function platformUuid(): string {
  const properties = outputOf("ioreg", "-rd1", "-c", "IOPlatformExpertDevice");
  return /"IOPlatformUUID" = "([0-9A-F-]{36})"/.exec(properties)?.[1] ?? "";
}

/** Returns when this host booted, in milliseconds since 1970. */
export function bootedAtMs(): number {
  return Date.now() - uptime() * 1000;
}

/**
 * Identifies where ids of processes are unique: a boot and a namespace, since containers on one host have processes with the same ids. Empty
 * where the system does not tell both: every host numbers its own namespace the same.
 */
export function processSpace(): string {
  if (process.platform === "darwin") {
    return outputOf("sysctl", "-n", "kern.bootsessionuuid").trim();
  }
  const boot = readIfThere("/proc/sys/kernel/random/boot_id").trim();
  const namespace = namespaceOf("pid");
  return boot && namespace && `${boot} ${namespace}`;
}

/** Reads a file. Returns nothing where there is none. */
export function readIfThere(file: string): string {
  return ifThere(() => readFileSync(file, "utf8"));
}

function namespaceOf(kind: keyof typeof HOST_NAMESPACES): string {
  return ifThere(() => readlinkSync(`/proc/self/ns/${kind}`));
}

function outputOf(command: string, ...args: string[]): string {
  return ifThere(() => execFileSync(command, args, { encoding: "utf8", stdio: "pipe" }));
}

function ifThere(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
