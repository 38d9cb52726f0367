# Shared by the lab's scripts: where it keeps things, how it reports.
# shellcheck shell=bash

set -euo pipefail
# What goes into images, and what is installed, others have to read; a folder that CDPATH leads to is another one.
umask 022
unset CDPATH

# shellcheck disable=SC2034 # used by the scripts
LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# One cache a machine, so that a second clone is as quick as the first one's second run.
LAB_CACHE=${GROUNDWORK_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/groundwork-lab}
mkdir -p "$LAB_CACHE"

say() { printf 'lab: %s\n' "$*"; }

fail() {
  printf 'lab: %s\n' "$*" >&2
  exit 1
}

# step TEXT COMMAND...: runs a quiet command, says how long it took, and shows its output only when it fails.
step() {
  local text=$1 log started=$SECONDS
  shift
  log=$(mktemp "$LAB_CACHE/step.XXXXXX")
  printf 'lab: %s ...\n' "$text"
  # A shell of its own, so that what fails in it is shown as well.
  if ("$@") >"$log" 2>&1; then
    printf 'lab: %s: done in %ss\n' "$text" $((SECONDS - started))
    rm -f "$log"
  else
    local status=$?
    cat "$log" >&2
    rm -f "$log"
    fail "$text: failed with exit status $status, its output is above"
  fi
}

# fingerprint PATH...: one hash over the names and contents of files and folders.
fingerprint() {
  find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}

# apt_install PACKAGE...: installs what is missing, and nothing when all is there.
apt_install() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "needs the packages ${missing[*]}: the lab installs them with apt-get, which this machine does not have"
  [ "$(id -u)" = 0 ] || fail "needs the packages ${missing[*]}: run the lab as root, or install them first"
  step "installing ${missing[*]}" apt_get_install "${missing[@]}"
}

apt_get_install() {
  export DEBIAN_FRONTEND=noninteractive
  # What an installation that was killed has left half done.
  dpkg --configure -a
  apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }
}

# debian_mirror: the one that this machine's apt uses; nothing, which debootstrap takes for its own, where apt names none.
debian_mirror() {
  # shellcheck disable=SC2016 # apt's own placeholders
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1
}

# unpack PACKAGE BINARY: has that file of a Debian package in the folder of the package's name in the cache, without installing its
# service.
unpack() {
  [ -x "$2" ] || step "fetching Debian's $1" apt_get_unpack "$1"
}

apt_get_unpack() {
  local work
  work=$(mktemp -d "$LAB_CACHE/unpack.XXXXXX")
  (cd "$work" && { apt-get download "$1" || { apt-get update && apt-get download "$1"; }; } && dpkg -x "$1"_*.deb unpacked) || return
  # All of it at once: whoever looks for the file meanwhile finds no half of it, and may be the quicker one.
  mv -T "$work/unpacked" "$LAB_CACHE/$1" || [ -d "$LAB_CACHE/$1" ]
  rm -rf "$work"
}

# require_go GO_MOD WHAT: a Go as new as the module asks for. Go fetches a newer toolchain by itself where its proxy has one.
require_go() {
  local wanted
  wanted=$(sed -n 's/^go //p' "$1")
  command -v go >/dev/null || fail "needs Go $wanted or newer to build $2, and no go is on the PATH: install it"
  (cd "$(dirname "$1")" && go version >/dev/null 2>&1) ||
    fail "needs Go $wanted or newer to build $2, and $(GOTOOLCHAIN=local go version | cut -d' ' -f3) is on the PATH: install a newer one"
}
