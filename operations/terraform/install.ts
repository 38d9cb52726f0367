import { readFileSync } from "node:fs";

/** The system of this machine. */
export interface System {
  /** As in `process.platform`. */
  readonly platform: NodeJS.Platform;
  /** Of Linux: the distribution, then those that it is derived from, as in /etc/os-release. */
  readonly distributions: readonly string[];
}

/** The first OpenTofu release, which was forked from Terraform of this version. */
export const OLDEST_TERRAFORM = "1.6.0";

/** For every other system, and to install Terraform instead. */
const DOWNLOADS =
  "https://opentofu.org/docs/intro/install/ or https://developer.hashicorp.com/terraform/install";

/** Commands of https://opentofu.org/docs/intro/install/. */
const ON_PLATFORM: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: "brew install opentofu",
  win32: "winget install --exact --id=OpenTofu.Tofu",
};
const ON_DISTRIBUTION: Readonly<Record<string, string>> = {
  debian: installer("deb"),
  ubuntu: installer("deb"),
  fedora: "sudo dnf install opentofu",
  // Says that it is like Fedora, but has other repositories.
  amzn: installer("rpm"),
  rhel: installer("rpm"),
  centos: installer("rpm"),
  suse: installer("rpm"),
  alpine: installer("apk"),
};

/** Describes that no Terraform was found, with the command that installs one on a system. */
export function describeMissingTerraform(system = thisSystem()): string {
  const { platform, distributions } = system;
  const command =
    ON_PLATFORM[platform] ??
    distributions.flatMap((name) =>
      Object.hasOwn(ON_DISTRIBUTION, name) ? ON_DISTRIBUTION[name] : [],
    )[0];
  const remedy = command ? `run ${command}, or see ${DOWNLOADS}` : `see ${DOWNLOADS}`;
  return `neither terraform nor tofu is on the PATH: install OpenTofu or Terraform ${OLDEST_TERRAFORM} or newer (${remedy}), or set TERRAFORM_BINARY_NAME to its path`;
}

/** Returns the commands of OpenTofu's installer, which adds its package repository. */
function installer(method: "deb" | "rpm" | "apk"): string {
  const script = "install-opentofu.sh";
  return `curl --proto '=https' --tlsv1.2 -fsSL https://get.opentofu.org/${script} -o ${script} && sh ${script} --install-method ${method}`;
}

function thisSystem(): System {
  return { platform: process.platform, distributions: distributionsIn(readOsRelease()) };
}

/**
 * Parses https://www.freedesktop.org/software/systemd/man/latest/os-release.html.
 *
 * @internal
 */
export function distributionsIn(osRelease: string): string[] {
  const field = (name: string) =>
    new RegExp(`^${name}=["']?([^"'\n]*)`, "m").exec(osRelease)?.[1] ?? "";
  return [field("ID"), ...field("ID_LIKE").split(" ")].filter((name) => name !== "");
}

function readOsRelease(): string {
  try {
    return readFileSync("/etc/os-release", "utf8");
  } catch {
    return "";
  }
}
