# Shared by engine.sh and images.sh: the engines that a lab can run on, one at a time, each with data of its own.
#
# engine    what it is                                     data
# bookworm  what this machine has, Debian's there          /var/lib/docker
# trixie    Debian's of that release in a root of its own  $LAB_CACHE/engines/trixie/data
# forky     the same, as a fresh Docker 29 is set up       $LAB_CACHE/engines/forky/data
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2034 # used by the scripts
ENGINES=(bookworm trixie forky)
ENGINE_FILES=$LAB_CACHE/engines
PID_FILE=$LAB_CACHE/dockerd.pid

root_of() { printf '%s\n' "$ENGINE_FILES/$1/root"; }
data_of() { if [ "$1" = bookworm ]; then printf '/var/lib/docker\n'; else printf '%s\n' "$ENGINE_FILES/$1/data"; fi; }
# client_of NAME: the folder with the docker command of an engine in a root: the one of this machine may be too old for it.
client_of() { printf '%s\n' "$ENGINE_FILES/$1/bin"; }

# engine_pid: the process of the lab's engine that runs; nothing when none does, or one that is not the lab's.
engine_pid() {
  local pid
  pid=$(cat "$PID_FILE" 2>/dev/null) || return 0
  # Numbers come again.
  [[ $(readlink "/proc/$pid/exe") != */dockerd ]] || printf '%s\n' "$pid"
}

# engine_name: which of the lab's engines runs.
engine_name() {
  local pid name
  pid=$(engine_pid)
  [ -n "$pid" ] || return 0
  name=$(sed -zn 's/^GROUNDWORK_LAB_ENGINE=//p' "/proc/$pid/environ" | tr -d '\0')
  printf '%s\n' "${name:-bookworm}"
}

# become NAME LAUNCHER ARGUMENT...: goes on as the dockerd of an engine that is prepared, by way of a command such as setsid.
become() {
  local name=$1 launcher
  read -ra launcher <<<"$2"
  shift 2
  export GROUNDWORK_LAB_ENGINE=$name
  [ "$name" != bookworm ] || exec "${launcher[@]}" dockerd "$@"
  # A fresh Docker 29 has this minimum.
  [ "$name" != forky ] || export DOCKER_MIN_API_VERSION=1.44
  # Not chroot alone, below which an engine can import no image. Its mounts go with its last process.
  # shellcheck disable=SC2016 # read in the root
  exec "${launcher[@]}" unshare --mount sh -euc '
    root=$1 data=$2
    shift 2
    mount --bind "$root" "$root"
    cd "$root"
    mount -t proc proc proc
    for folder in sys dev run; do
      mount --rbind "/$folder" "$folder"
    done
    # It starts a containerd of its own where it finds none, and that of this machine would not see its files.
    mkdir -p run/containerd
    mount -t tmpfs tmpfs run/containerd
    mount --bind "$data" var/lib/docker
    pivot_root . old
    umount --lazy /old
    exec chroot / dockerd "$@"
  ' engine "$(root_of "$name")" "$(data_of "$name")" "$@"
}

# prepare_engine NAME: has what it takes to start it, and what would disturb it out of the way.
prepare_engine() {
  local name=$1 folder folders
  mkdir -p "$ENGINE_FILES/$name"
  if [ "$name" = bookworm ]; then
    # tini is what `init: true` runs in a container.
    command -v dockerd >/dev/null || apt_install docker.io iptables tini
  else
    make_root "$name"
  fi
  stop_killed "$(data_of "$name")"
  # Nobody waits any more for what the engine would start again.
  mapfile -t folders < <(lab_containers "$(data_of "$name")")
  for folder in "${folders[@]}"; do
    sed -i 's/"RestartPolicy":{"Name":"[a-z-]*"/"RestartPolicy":{"Name":"no"/' "$folder/hostconfig.json"
  done
}

# make_root NAME: makes it unless it is there, made from just these inputs.
make_root() {
  local inputs
  inputs=$(cd "$LAB_DIR" && fingerprint engines.sh engines)
  [ "$(cat "$(root_of "$1")/groundwork.lab.inputs" 2>/dev/null)" != "$inputs" ] || return 0
  apt_install mmdebstrap debian-archive-keyring
  step "making the root of engine $1, about a minute" bootstrap_engine "$1" "$inputs"
}

bootstrap_engine() {
  local name=$1 root made mirror
  root=$(root_of "$name")
  # What was killed on its way.
  rm -rf "$root".*
  made=$(mktemp -d "$root.XXXXXX")
  chmod 0755 "$made"
  # What it mounts goes with it, so that nothing is removed by way of the mounts of one that was killed.
  mirror=$(debian_mirror)
  # A mirror may lag behind a release that changes every day.
  unshare --mount mmdebstrap --aptopt='Acquire::Check-Valid-Until "false"' --variant=minbase --include=apparmor,ca-certificates,docker-cli,docker.io,iptables,procps,tini \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*.gz' "$name" "$made" ${mirror:+"$mirror"}
  mkdir -p "$made/old" "$made/var/lib/docker"
  [ ! -e "$LAB_DIR/engines/$name.json" ] || install -D --mode 0644 "$LAB_DIR/engines/$name.json" "$made/etc/docker/daemon.json"
  printf '%s\n' "$2" >"$made/groundwork.lab.inputs"
  mkdir -p "$(data_of "$name")" "$(client_of "$name")"
  install "$made/usr/bin/docker" "$(client_of "$name")/docker"
  rm -rf "$root"
  mv -T "$made" "$root"
}
