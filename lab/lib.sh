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
  local text=$1 log status=0 started=$SECONDS
  shift
  log=$(mktemp "$LAB_CACHE/step.XXXXXX")
  printf 'lab: %s ...\n' "$text"
  # A shell of its own, so that what fails in it is shown as well; beside this one, since in a condition it would go on after a failure.
  ("$@") >"$log" 2>&1 &
  wait $! || status=$?
  if [ $status = 0 ]; then
    printf 'lab: %s: done in %ss\n' "$text" $((SECONDS - started))
    rm -f "$log"
  else
    cat "$log" >&2
    rm -f "$log"
    fail "$text: failed with exit status $status, its output is above"
  fi
}

# fingerprint PATH...: one hash over the names and contents of files and folders.
fingerprint() {
  find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}

# await SECONDS COMMAND...: whether the command succeeds within that time.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}

# ended PID...: whether all of them have, those that nobody has asked for their exit status included.
ended() {
  local pid
  for pid in "$@"; do
    ! grep -q '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" 2>/dev/null || return 1
  done
}

# lab_containers DATA: the folders of the lab's containers in the data root of a Docker engine.
lab_containers() {
  local folder
  for folder in "$1"/containers/*/; do
    # Containers have the labels of their image, those of an interrupted build too.
    ! grep -qE '"groundwork\.(lab\.inputs":"|trial":"|environment":"lab)' "$folder/config.v2.json" 2>/dev/null || printf '%s\n' "$folder"
  done
}

# stop_killed DATA: ends what a killed engine left running of the lab's containers, and records them as stopped, as a reboot would
# leave them. The next engine may neither kill nor remove a container that claims to run and has no process.
stop_killed() {
  local folders folder ids processes
  mapfile -t folders < <(lab_containers "$1")
  [ ${#folders[@]} -gt 0 ] || return 0
  ids=$(printf '%s\n' "${folders[@]}" | xargs -n 1 basename | paste -sd '|')
  mapfile -t processes < <(
    grep -lE "$ids" /proc/[0-9]*/cgroup 2>/dev/null | cut -d/ -f3 || true
    pgrep -f -- "^[^ ]*containerd-shim.* -id ($ids)"
  )
  if [ ${#processes[@]} -gt 0 ]; then
    kill -KILL "${processes[@]}" 2>/dev/null || true
    await 30 ended "${processes[@]}" || fail "a process of a container of the lab does not die after 30 s (${processes[*]}): it waits for a disk or a kernel that does not answer"
  fi
  # What containerd and runc know of them would be in the way of their next start.
  for folder in "${folders[@]}"; do
    rm -rf --one-file-system {"$1",/run/docker}/containerd/daemon/io.containerd.runtime.v2.task/moby/"$(basename "$folder")" \
      /run/docker/runtime-runc/moby/"$(basename "$folder")"
  done
  # Quotes in a value are escaped, so that these are properties of the container's state.
  sed -i -E 's/"(Running|Paused|Restarting|RemovalInProgress)":true/"\1":false/g; s/"Pid":[0-9]+/"Pid":0/' "${folders[@]/%/config.v2.json}"
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

# debian_mirror: the one that this machine's apt uses; nothing where apt names none.
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
