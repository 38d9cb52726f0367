import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";

/** The process that holds a lock. */
export interface Owner {
  /** Such as `npm run up`. */
  readonly command: string;
  readonly user: string;
  readonly host: string;
  /** Where `pid` is unique: this start of this machine, and the namespace of its processes. */
  readonly processes: string;
  readonly pid: string;
  /** When the process started, since process ids are reused. Empty where the system does not tell. */
  readonly started: string;
  /** ISO 8601. */
  readonly since: string;
}

/** Describes this process. */
export function thisProcess(command: string): Owner {
  return {
    command,
    user: userInfo().username,
    host: hostname(),
    processes: processes(),
    pid: String(process.pid),
    started: startOf(process.pid),
    since: new Date().toISOString(),
  };
}

/** Whether the process ran here and has ended. False for a process elsewhere, of which nothing is known. */
export function hasEnded({ host, processes: where, pid, started }: Owner): boolean {
  if (host !== hostname() || where !== processes()) {
    return false;
  }
  const now = startOf(Number(pid));
  // Unknown for a process of another user, where /proc hides those.
  const isAnother = now !== "" && now !== started;
  return !isRunning(Number(pid)) || isAnother || isZombie(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Containers on one machine may have the same host name, and processes with the same ids. */
function processes(): string {
  const boot = ifThere(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  return [boot, ifThere(() => readlinkSync("/proc/self/ns/pid"))].join(" ").trim();
}

/** Returns the start of a process in ticks of the kernel. Empty where the system does not tell. */
function startOf(pid: number): string {
  return statOf(pid)[19] ?? "";
}

/** Whether a process has ended and its parent does not ask how, such as the first process of a container without an init. */
function isZombie(pid: number): boolean {
  return statOf(pid)[0] === "Z";
}

/** Returns what the kernel tells of a process from its state on, where there is /proc (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html). */
function statOf(pid: number): readonly string[] {
  // The name of the program, in parentheses, may have spaces.
  const stat = ifThere(() => readFileSync(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /s, "");
  return stat.split(" ");
}

function ifThere(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
