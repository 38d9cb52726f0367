import { hostname, userInfo } from "node:os";
import { counted } from "../terminal/terminal";
import { bootedAtMs, hostId, processSpace, readIfThere } from "./host";

/** The process that holds a lock. */
export interface Owner {
  /** Such as `npm run up`. */
  readonly command: string;
  readonly user: string;
  readonly host: string;
  /** What identifies the host across boots. Empty where that is not known, and in locks of earlier versions. */
  readonly hostId: string;
  /** Where `pid` is unique: this boot of this host, and the namespace of its processes. Empty where the system does not tell. */
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
    user: userName(),
    host: hostname(),
    hostId: hostId(),
    processes: processSpace(),
    pid: String(process.pid),
    started: startOf(process.pid),
    since: new Date().toISOString(),
  };
}

/** A user id in a container may have no account. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER || process.env.LOGNAME || `uid ${process.getuid?.()}`;
  }
}

/** Returns for how long a process has had its lock. */
export function ageMs({ since }: Pick<Owner, "since">): number {
  return Date.now() - Date.parse(since);
}

/** Describes an owner: `npm run up, by ada on host build-7 (process 4711), since 2026-01-31 10:15:00 UTC, 12 minutes ago`. */
export function describeOwner({ command, user, host, pid, since }: Owner): string {
  const minutes = Math.max(0, Math.round(ageMs({ since }) / 60_000));
  const at = since.replace("T", " ").replace(/\.\d+Z$/, " UTC");
  return `${command}, by ${user} on host ${host} (process ${pid}), since ${at}, ${counted(minutes, "minute")} ago`;
}

/**
 * Whether the process ran here and has ended. False for a process elsewhere, of which nothing is known. `takenHere` is whether this clone took
 * the lock: two virtual machines may be copies of one, with the same name and id, and a running one is no earlier boot of the other.
 */
export function hasEnded(owner: Owner, { takenHere }: { readonly takenHere: boolean }): boolean {
  const here = processSpace();
  // A host may change its name while it runs.
  return here !== "" && owner.processes === here
    ? isGone(owner)
    : takenHere && owner.host === hostname() && isOfEarlierBoot(owner);
}

/** What began after this host booted, in another boot, runs elsewhere. */
function isOfEarlierBoot({ hostId: id, since }: Owner): boolean {
  return id !== "" && id === hostId() && Date.parse(since) < bootedAtMs();
}

function isGone({ pid, started }: Owner): boolean {
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
  const stat = readIfThere(`/proc/${pid}/stat`).replace(/^.*\) /s, "");
  return stat.split(" ");
}
