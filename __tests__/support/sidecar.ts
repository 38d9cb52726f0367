import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { UploadedFile } from "../../constructs/container/file";
import { SIDECAR_DIR } from "../../constructs/init-sidecar/sidecar-dir";
import { ROOT } from "./root";
import type { StoppedClock } from "./stopped-clock";

const CONSTRUCTS = join(ROOT, "constructs");

/** The shells of the images, with their tools. Tests with a shell that is not installed are skipped, and say so. */
export const SHELLS: Record<string, string[]> = {
  "dash with GNU tools": ["dash"],
  "busybox ash with busybox tools": ["busybox", "ash"],
};

export const INSTALLED_SHELLS = Object.entries(SHELLS).filter(
  ([, [command]]) => spawnSync(command, ["--help"]).error === undefined,
);

/** Delays that are short enough for a test, and a deadline that a busy machine does not reach. Reach it with a `StoppedClock`. */
export const RETRY = { initialMs: 20, maxMs: 160, deadlineSeconds: 300 };

export interface SidecarRun {
  readonly exitCode: number;
  /** The parsed lines of the log. */
  readonly log: LogLine[];
  readonly durationMs: number;
}

// biome-ignore lint/suspicious/noExplicitAny: a log line has fields by event
export type LogLine = Record<string, any>;

export interface StartedSidecar {
  readonly process: ChildProcess;
  readonly done: Promise<SidecarRun>;
  /** Resolves with the first line of an event, or with the line of that number. */
  seen(event: string, count?: number): Promise<LogLine>;
}

export interface SidecarOptions {
  /** The shell to run the script in. @default - with GNU tools */
  readonly shell?: string[];
  /** The path of the script, relative to constructs/. */
  readonly script: string;
  /** Other files that the script expects in its folder. */
  readonly beside?: readonly string[];
  /** The files of the declaration, whose paths are below `SIDECAR_DIR`. */
  readonly files: readonly UploadedFile[];
  readonly env: (directory: string) => Record<string, string>;
  /** Scripts to put first on the PATH, by name. */
  readonly tools?: Readonly<Record<string, string>>;
  readonly retry?: Partial<typeof RETRY>;
  /** The clock of its deadlines. @default - the machine's */
  readonly clock?: StoppedClock;
  readonly jitter?: string;
  readonly declared?: string;
}

/**
 * The busybox of the images of Kafka, Grafana, HAProxy and the docker CLI, if installed here. OpenSearch's image has GNU tools, and so do
 * all images of the lab, in which the e2e tests run every script.
 */
export const ALPINE_SHELL = INSTALLED_SHELLS.slice(-1);

let busyboxFolder: string | undefined;

/** Returns a PATH of these folders and a shell's tools. All runs share one folder for busybox, which has about 400 tools. */
export function pathOf(shell: string, ...folders: string[]): string {
  if (shell === "busybox" && !busyboxFolder) {
    busyboxFolder = mkdtempSync(join(tmpdir(), "busybox-"));
    spawnSync("busybox", ["--install", "-s", busyboxFolder]);
  }
  const own = shell === "busybox" ? [busyboxFolder] : [];
  return [...folders, ...own, process.env.PATH].join(":");
}

afterAll(() => busyboxFolder && rmSync(busyboxFolder, { recursive: true }));

/** Starts a real sidecar script under its real supervisor, outside of a container. */
export function startSidecar(options: SidecarOptions): StartedSidecar {
  const directory = mkdtempSync(join(tmpdir(), "sidecar-"));
  const beside = ["init-sidecar/supervise.sh", "init-sidecar/lib.sh", options.script];
  for (const file of [...beside, ...(options.beside ?? [])]) {
    cpSync(join(CONSTRUCTS, file), join(directory, basename(file)));
  }
  for (const { path, content } of options.files) {
    const file = join(directory, path.replace(SIDECAR_DIR, ""));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  if (options.clock) {
    stopClock(options.clock, directory);
  }
  const retry = { ...RETRY, ...options.retry };
  const script = join(directory, basename(options.script));
  const [command, ...args] = options.shell ?? ["dash"];
  mkdirSync(join(directory, "bin"));
  for (const [tool, content] of Object.entries(options.tools ?? {})) {
    writeFileSync(join(directory, "bin", tool), content, { mode: 0o755 });
  }
  const started = Date.now();
  const child = spawn(command, [...args, join(directory, "supervise.sh"), script], {
    env: {
      // First on the PATH, so that only curl and java come from other folders.
      PATH: pathOf(command, join(directory, "bin")),
      GROUNDWORK_SIDECAR: basename(options.script, ".sh"),
      GROUNDWORK_VERSION: "test",
      GROUNDWORK_DECLARED: options.declared ?? "",
      GROUNDWORK_RUN_DIR: directory,
      GROUNDWORK_RETRY_INITIAL_MS: String(retry.initialMs),
      GROUNDWORK_RETRY_MAX_MS: String(retry.maxMs),
      GROUNDWORK_RETRY_JITTER: options.jitter ?? "full",
      GROUNDWORK_DEADLINE_SECONDS: String(retry.deadlineSeconds),
      ...options.env(directory),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: LogLine[] = [];
  const waiting: { event: string; count: number; resolve: (line: LogLine) => void }[] = [];
  const find = (event: string, count: number): LogLine | undefined =>
    log.filter((line) => line.event === event)[count - 1];
  let pending = "";
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints += chunk;
  });
  child.stdout.on("data", (chunk) => {
    const parts = (pending + chunk).split("\n");
    pending = parts.pop() ?? "";
    for (const part of parts) {
      const line = JSON.parse(part);
      log.push(line);
      for (const { event, count, resolve } of waiting) {
        const found = find(event, count);
        if (found) {
          resolve(found);
        }
      }
    }
  });
  const done = new Promise<SidecarRun>((resolve, reject) => {
    child.on("exit", (exitCode) => {
      // A complaint of the shell is a defect of the script, except the notice about a killed child.
      const unexpected = complaints
        .split("\n")
        .filter((line) => line !== "" && !/^(Killed|Terminated)/.test(line));
      if (unexpected.length > 0) {
        reject(new Error(`the shell complains: ${unexpected.join("\n")}`));
      }
      // The pipes may still contain the last line.
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        rmSync(directory, { recursive: true, force: true });
        resolve({ exitCode: exitCode ?? -1, log, durationMs: Date.now() - started });
      }, 50);
    });
  });
  const seen = (event: string, count = 1) =>
    new Promise<LogLine>((resolve) => {
      const line = find(event, count);
      line ? resolve(line) : waiting.push({ event, count, resolve });
    });
  return { process: child, done, seen };
}

/** Has the scripts in a folder read the time of this clock. */
function stopClock(clock: StoppedClock, directory: string): void {
  const file = join(directory, "uptime");
  clock.writeTo(file);
  const library = join(directory, "lib.sh");
  const text = readFileSync(library, "utf8");
  expect(text).toContain("</proc/uptime");
  writeFileSync(library, text.replace("/proc/uptime", file));
}

export function linesOf(run: SidecarRun, event: string): LogLine[] {
  return run.log.filter((line) => line.event === event);
}

/** Returns the last line, which every run has. */
export function exitLine(run: SidecarRun): LogLine {
  expect(linesOf(run, "exit")).toHaveLength(1);
  const last = run.log[run.log.length - 1];
  expect(last.event).toBe("exit");
  expect(last.exit_code).toBe(run.exitCode);
  return last;
}

/** Asserts that every retry waited less than a ceiling that doubles up to the cap. */
export function expectBackoff(run: SidecarRun, retries: number, retry: Partial<typeof RETRY> = {}) {
  const { initialMs, maxMs } = { ...RETRY, ...retry };
  const lines = linesOf(run, "retry");
  expect(lines.length).toBeGreaterThanOrEqual(retries);
  const ceilings = lines.slice(0, retries).map(({ ceiling_ms }) => ceiling_ms);
  expect(ceilings).toEqual(
    Array.from({ length: retries }, (_, i) => Math.min(initialMs * 2 ** i, maxMs)),
  );
  for (const { delay_ms, ceiling_ms } of lines) {
    expect(delay_ms).toBeGreaterThanOrEqual(0);
    expect(delay_ms).toBeLessThanOrEqual(ceiling_ms);
    expect(ceiling_ms).toBeLessThanOrEqual(maxMs);
  }
}

/** Returns the process of the script, a child of the supervisor. */
export function workerOf(sidecar: StartedSidecar): number {
  const { pid } = sidecar.process;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  const worker = Number(children[0]);
  if (!(worker > 1)) {
    // 0 would signal this process's own group.
    throw new Error("the sidecar has no worker any more");
  }
  return worker;
}
