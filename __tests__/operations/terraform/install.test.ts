import { describeMissingTerraform, distributionsIn } from "../../../operations/terraform/install";

const script = (method: string) =>
  `curl --proto '=https' --tlsv1.2 -fsSL https://get.opentofu.org/install-opentofu.sh -o install-opentofu.sh && sh install-opentofu.sh --install-method ${method}`;
const DOWNLOADS =
  "see https://opentofu.org/docs/intro/install/ or https://developer.hashicorp.com/terraform/install";
const message = (remedy: string) =>
  `neither terraform nor tofu is on the PATH: install OpenTofu or Terraform 1.6.0 or newer (${remedy}), or set TERRAFORM_BINARY_NAME to its path`;

test.each([
  ["macOS", "darwin", "", "brew install opentofu"],
  ["Windows", "win32", "", "winget install --exact --id=OpenTofu.Tofu"],
  ["Debian", "linux", 'NAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n', script("deb")],
  ["Ubuntu", "linux", "ID=ubuntu\nID_LIKE=debian\n", script("deb")],
  ["Linux Mint", "linux", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', script("deb")],
  ["Fedora", "linux", "ID=fedora\n", "sudo dnf install opentofu"],
  ["Rocky Linux", "linux", 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', script("rpm")],
  ["Amazon Linux", "linux", 'ID="amzn"\nID_LIKE="fedora"\n', script("rpm")],
  [
    "openSUSE",
    "linux",
    "ID='opensuse-leap'\nID_LIKE='suse opensuse'\nVARIANT_ID=x\n",
    script("rpm"),
  ],
  ["Alpine", "linux", "ID=alpine\n", script("apk")],
] as const)(
  "%s gets the command that installs OpenTofu there",
  (_, platform, osRelease, command) => {
    const distributions = distributionsIn(osRelease);
    expect(describeMissingTerraform({ platform, distributions })).toBe(
      message(`run ${command}, or ${DOWNLOADS}`),
    );
  },
);

test.each([
  ["linux", "ID=nixos\n"],
  ["linux", "ID=constructor\n"],
  ["linux", ""],
  ["freebsd", ""],
] as const)("another system (%s %j) gets the download pages", (platform, osRelease) => {
  const distributions = distributionsIn(osRelease);
  expect(describeMissingTerraform({ platform, distributions })).toBe(message(DOWNLOADS));
});
