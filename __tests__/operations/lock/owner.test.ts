import { hasEnded, type Owner, thisProcess } from "../../../operations/lock/owner";
import { restoreVariables } from "../../support/variables";

/** What the system says in place of what it is: content by file or link. Undefined hides it. */
let system: Record<string, string | undefined>;
let uptimeSeconds: number;
let name: string;
/** Whether this user id has an account. */
let hasAccount: boolean;

jest.mock("node:fs", () => {
  const fs = jest.requireActual("node:fs");
  const read =
    (actual: (path: string, ...args: unknown[]) => unknown) =>
    (path: unknown, ...args: unknown[]) => {
      const file = String(path).replace(/^\/proc\/\d+\//, "/proc/<pid>/");
      if (system !== undefined && file in system) {
        if (system[file] === undefined) {
          throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
        }
        return system[file];
      }
      return actual(path as string, ...args);
    };
  return { ...fs, readFileSync: read(fs.readFileSync), readlinkSync: read(fs.readlinkSync) };
});
/** The output of commands of macOS, each with its arguments. */
let commands: Record<string, string> = {};

jest.mock("node:child_process", () => ({
  ...jest.requireActual("node:child_process"),
  execFileSync: (command: string, args: readonly string[]) => {
    const output = commands[[command, ...args].join(" ")];
    if (output === undefined) {
      throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
    }
    return output;
  },
}));
jest.mock("node:os", () => ({
  ...jest.requireActual("node:os"),
  hostname: () => name,
  uptime: () => uptimeSeconds,
  userInfo() {
    if (!hasAccount) {
      throw new Error("A system error occurred: uv_os_get_passwd returned ENOENT");
    }
    return { username: "ada" };
  },
}));

const BOOT = "/proc/sys/kernel/random/boot_id";
const MACHINE = "/etc/machine-id";
/** A Linux host, outside of containers. */
const HOST = {
  [BOOT]: "first-boot\n",
  [MACHINE]: "0123456789abcdef0123456789abcdef\n",
  "/proc/self/ns/pid": "pid:[4026531836]",
  "/proc/self/ns/uts": "uts:[4026531838]",
};

/** No process has this id: the most on Linux, and more than on macOS. */
const NONE = "4194305";

const HOUR_MS = 3_600_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

/** Whether a process has ended that this clone remembers. */
const ended = (owner: Owner) => hasEnded(owner, { takenHere: true });

beforeEach(() => {
  system = { ...HOST };
  uptimeSeconds = 7 * 24 * 3600;
  hasAccount = true;
  name = "build-7";
});

/** A process that ran here an hour ago, before this host booted. */
function beforeTheBoot(): Owner {
  const owner = { ...thisProcess("npm run up"), since: ago(HOUR_MS) };
  system[BOOT] = "second-boot\n";
  uptimeSeconds = 60;
  return owner;
}

describe("the user of a process", () => {
  restoreVariables();

  test.each<[string, NodeJS.ProcessEnv, boolean, string]>([
    ["is the name of the account", { USER: "eve" }, true, "ada"],
    ["without an account is USER", { USER: "eve", LOGNAME: "joe" }, false, "eve"],
    ["without an account and USER is LOGNAME", { LOGNAME: "joe" }, false, "joe"],
    ["without all of them is the id", {}, false, `uid ${process.getuid?.()}`],
  ])("%s", (_, variables, has, user) => {
    hasAccount = has;
    delete process.env.USER;
    delete process.env.LOGNAME;
    Object.assign(process.env, variables);
    expect(thisProcess("npm run up").user).toBe(user);
  });
});

test("a process of another user has not ended, where the system does not show when it started", () => {
  const owner = thisProcess("npm run up");
  expect(ended(owner)).toBe(false);
  system["/proc/<pid>/stat"] = undefined;
  expect(ended(owner)).toBe(false);
  expect(ended({ ...owner, pid: NONE })).toBe(true);
});

describe("after the host got another name", () => {
  test("a process of this boot has ended once it is gone", () => {
    const owner = thisProcess("npm run up");
    name = "build-8";
    expect(ended(owner)).toBe(false);
    expect(ended({ ...owner, pid: NONE })).toBe(true);
  });

  test("a process of another boot may run on another host", () => {
    const owner = beforeTheBoot();
    name = "build-8";
    expect(ended(owner)).toBe(false);
  });
});

test.each(["/proc/self/ns/pid", BOOT])(
  "without %s, a process may be on another host or in a container",
  (file) => {
    system[file] = undefined;
    const owner = { ...thisProcess("npm run up"), pid: NONE };
    expect([owner.processes, ended(owner)]).toEqual(["", false]);
  },
);

describe("after a reboot", () => {
  test("a process of the boot before has ended, even if its id is that of another process", () => {
    expect(ended(beforeTheBoot())).toBe(true);
  });

  test.each<[string, () => void]>([
    ["a host with the same name", () => Object.assign(system, { [MACHINE]: "f".repeat(32) })],
    ["a host whose id is not known", () => Object.assign(system, { [MACHINE]: undefined })],
  ])("a process of %s has not", (_, change) => {
    const owner = beforeTheBoot();
    change();
    expect(ended(owner)).toBe(false);
  });

  test("a lock of an earlier version, without the host's id, is of a process that has not", () => {
    expect(ended({ ...beforeTheBoot(), hostId: "" })).toBe(false);
  });

  test("a process whose lock this clone did not take may run on a copy of this virtual machine, which has its id and name", () => {
    expect(hasEnded(beforeTheBoot(), { takenHere: false })).toBe(false);
  });

  test("a process that began since then runs on a copy of this virtual machine, which has its id", () => {
    const owner = beforeTheBoot();
    expect(ended({ ...owner, since: ago(1000) })).toBe(false);
  });
});

test("the id of the host is not in the lock as it is, since systemd wants it kept secret", () => {
  const { hostId } = thisProcess("npm run up");
  expect(hostId).toMatch(/^[0-9a-f]{64}$/);
  expect(JSON.stringify(thisProcess("npm run up"))).not.toContain(HOST[MACHINE].trim());
});

test.each<[string, Record<string, string | undefined>]>([
  ["a container has the id of its image", { "/proc/self/ns/pid": "pid:[4026532201]" }],
  ["a container that sees the host's processes, too", { "/proc/self/ns/uts": "uts:[4026532200]" }],
  ["an image that has not booted has none", { [MACHINE]: "uninitialized\n" }],
  ["an empty file is none", { [MACHINE]: "\n" }],
  ["there may be no file", { [MACHINE]: undefined }],
])("%s: no process of another boot counts as ended", (_, files) => {
  Object.assign(system, files);
  expect(thisProcess("npm run up").hostId).toBe("");
  expect(ended(beforeTheBoot())).toBe(false);
});

describe("on macOS, which has no /proc", () => {
  const SESSION = "sysctl -n kern.bootsessionuuid";
  const HARDWARE = "ioreg -rd1 -c IOPlatformExpertDevice";
  const uuid = (digit: string) => `${digit.repeat(8)}-0000-0000-0000-${digit.repeat(12)}`;
  const hardware = (id: string) => `+-o J314  <class IOPlatformExpertDevice>
    {
      "IOPlatformSerialNumber" = "${"X".repeat(10)}"
      "IOPlatformUUID" = "${id}"
    }
`;
  const { platform } = process;
  beforeEach(() => {
    Object.defineProperty(process, "platform", { value: "darwin" });
    for (const file of [...Object.keys(HOST), "/proc/<pid>/stat"]) {
      system[file] = undefined;
    }
    commands = { [SESSION]: `${uuid("1")}\n`, [HARDWARE]: hardware(uuid("A")) };
  });
  afterEach(() => Object.defineProperty(process, "platform", { value: platform }));

  test("a process of this boot has ended once it is gone", () => {
    expect(ended(thisProcess("npm run up"))).toBe(false);
    expect(ended({ ...thisProcess("npm run up"), pid: NONE })).toBe(true);
  });

  test("a process on another Mac with this name has not ended, although none here has its id", () => {
    const owner = { ...thisProcess("npm run up"), pid: NONE, since: ago(HOUR_MS) };
    uptimeSeconds = 60;
    commands = { [SESSION]: `${uuid("2")}\n`, [HARDWARE]: hardware(uuid("B")) };
    expect(ended(owner)).toBe(false);
  });

  test("a process of the boot before has ended", () => {
    const owner = { ...thisProcess("npm run up"), since: ago(HOUR_MS) };
    uptimeSeconds = 60;
    commands[SESSION] = `${uuid("2")}\n`;
    expect(ended(owner)).toBe(true);
  });
});

test("where the system tells neither boots nor ids apart, a process with this host's name may run elsewhere", () => {
  for (const file of Object.keys(HOST)) {
    system[file] = undefined;
  }
  const owner = { ...thisProcess("npm run up"), pid: NONE };
  expect([owner.processes, owner.hostId, ended(owner)]).toEqual(["", "", false]);
});
