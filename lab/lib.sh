# Shared by the lab's scripts: paths, messages, and packages.
# shellcheck shell=bash

set -euo pipefail
# Other users must read what goes into images and packages. With CDPATH, cd could go to another folder.
umask 022
unset CDPATH

# shellcheck disable=SC2034 # used by the scripts
LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# All clones on a machine share one cache, so that a second clone builds nothing again.
LAB_CACHE=${GROUNDWORK_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/groundwork-lab}
mkdir -p "$LAB_CACHE"

say() { printf 'lab: %s\n' "$*"; }

fail() {
  printf 'lab: %s\n' "$*" >&2
  exit 1
}

# step TEXT COMMAND...: runs a command, reports how long it took, and shows its output only if it fails. lab/scripts.ts parses the messages.
step() {
  local text=$1 log status=0 started=$SECONDS
  shift
  log=$(mktemp "$LAB_CACHE/step.XXXXXX")
  printf 'lab: %s ...\n' "$text"
  # A subshell, so that a failure in it reaches this function. In the background, since `set -e` does not apply in a condition.
  ("$@") >"$log" 2>&1 &
  wait $! || status=$?
  if [ $status = 0 ]; then
    printf 'lab: %s: done in %ss\n' "$text" $((SECONDS - started))
    rm -f "$log"
  else
    cat "$log" >&2
    rm -f "$log"
    fail "$text failed with exit status $status: its output is above"
  fi
}

# fingerprint PATH...: prints one hash of the names and contents of files and folders.
fingerprint() {
  find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}

# await SECONDS COMMAND...: retries a command until it succeeds, and fails after that time.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}

# ended PID...: whether all processes have ended. Zombies count as ended.
ended() {
  local pid
  for pid in "$@"; do
    ! grep -q '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" 2>/dev/null || return 1
  done
}

# lab_containers DATA: prints the folders of the lab's containers in a data root of Docker.
lab_containers() {
  local folder
  for folder in "$1"/containers/*/; do
    # Containers inherit the labels of their image, including containers of an interrupted build.
    ! grep -qE '"groundwork\.(lab\.inputs":"|trial":"|environment":"lab)' "$folder/config.v2.json" 2>/dev/null || printf '%s\n' "$folder"
  done
}

# stop_killed DATA: kills the lab's containers that a killed engine left running, and records them as stopped, as after a reboot.
# An engine can neither kill nor remove a container that is recorded as running and has no process.
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
    await 30 ended "${processes[@]}" || fail "a process of the lab's containers does not exit within 30 s of SIGKILL (process ids ${processes[*]}): it waits for a disk or the kernel"
  fi
  # The containers cannot start again with their old state in containerd and runc.
  for folder in "${folders[@]}"; do
    rm -rf --one-file-system {"$1",/run/docker}/containerd/daemon/io.containerd.runtime.v2.task/moby/"$(basename "$folder")" \
      /run/docker/runtime-runc/moby/"$(basename "$folder")"
  done
  # Quotes within values are escaped, so this matches only properties of the container's state.
  sed -i -E 's/"(Running|Paused|Restarting|RemovalInProgress)":true/"\1":false/g; s/"Pid":[0-9]+/"Pid":0/' "${folders[@]/%/config.v2.json}"
}

# holds_no_port PID DOCKER...: whether the engine with that process id holds published ports only for containers that run.
# An engine killed while it starts a container leaves a stale endpoint. The next one removes it and holds its ports until it stops.
holds_no_port() {
  local pid=$1 running published="" address
  shift
  mapfile -t running < <("$@" ps --quiet)
  [ ${#running[@]} = 0 ] ||
    published=$("$@" inspect --format '{{range .NetworkSettings.Ports}}{{range .}} {{.HostIp}}:{{.HostPort}} {{end}}{{end}}' "${running[@]}")
  while read -r address; do
    [[ $published == *" $address "* ]] || return 1
  done < <(pgrep --list-full --parent "$pid" docker-proxy | sed -nE 's/.* -host-ip ([^ ]+) -host-port ([0-9]+) .*/\1:\2/p')
}

# apt_install PACKAGE...: installs the packages that are missing.
apt_install() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "missing packages: ${missing[*]}. The lab installs them with apt-get, which this machine does not have: use Debian"
  [ "$(id -u)" = 0 ] || fail "missing packages: ${missing[*]}. Install them, or run the lab as root"
  step "installing ${missing[*]}" apt_get_install "${missing[@]}"
}

apt_get_install() {
  export DEBIAN_FRONTEND=noninteractive
  # Finishes an installation that was killed.
  dpkg --configure -a
  apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }
}

# debian_mirror: prints the mirror that this machine's apt uses, or nothing if it names none.
debian_mirror() {
  # shellcheck disable=SC2016 # apt's own placeholders
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1
}

# unpack PACKAGE BINARY: unpacks a Debian package into a folder of its name in the cache, unless BINARY is there. Does not install its
# service.
unpack() {
  [ -x "$2" ] || step "fetching Debian package $1" apt_get_unpack "$1"
}

apt_get_unpack() {
  local work
  work=$(mktemp -d "$LAB_CACHE/unpack.XXXXXX")
  (cd "$work" && { apt-get download "$1" || { apt-get update && apt-get download "$1"; }; } && dpkg -x "$1"_*.deb unpacked) || return
  # Atomic: another process that looks for the file never finds half of it. That process may also be the first to move its own.
  mv -T "$work/unpacked" "$LAB_CACHE/$1" || [ -d "$LAB_CACHE/$1" ]
  rm -rf "$work"
}

# require_go GO_MOD WHAT: fails if Go is older than the module requires and cannot download a newer toolchain.
require_go() {
  local wanted
  wanted=$(sed -n 's/^go //p' "$1")
  command -v go >/dev/null || fail "building $2 needs Go $wanted or newer, and go is not on the PATH: install Go"
  (cd "$(dirname "$1")" && go version >/dev/null 2>&1) ||
    fail "building $2 needs Go $wanted or newer, and the PATH has $(GOTOOLCHAIN=local go version | cut -d' ' -f3): install a newer one"
}
