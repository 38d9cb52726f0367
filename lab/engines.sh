# Shared by engine.sh and images.sh: the Docker engines that the lab can run on. One runs at a time, and each has its own data.
#
# engine    what it is                                    data
# bookworm  the Docker engine here, or Debian's if none    /var/lib/docker
# trixie    the engine of Debian trixie, in its own root  $LAB_CACHE/engines/trixie/data
# forky     that of Debian forky, set up like Docker 29   $LAB_CACHE/engines/forky/data
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2034 # used by the scripts
ENGINES=(bookworm trixie forky)
ENGINE_FILES=$LAB_CACHE/engines
PID_FILE=$LAB_CACHE/dockerd.pid

root_of() { printf '%s\n' "$ENGINE_FILES/$1/root"; }
data_of() { if [ "$1" = bookworm ]; then printf '/var/lib/docker\n'; else printf '%s\n' "$ENGINE_FILES/$1/data"; fi; }
# client_of NAME: the folder with the docker command of an engine that has its own root: this machine's may be too old for it.
client_of() { printf '%s\n' "$ENGINE_FILES/$1/bin"; }

# engine_pid: the process id of the lab's running engine, empty if none runs or if the lab did not start it.
engine_pid() {
  local pid
  pid=$(cat "$PID_FILE" 2>/dev/null) || return 0
  # Process ids are reused.
  [[ $(readlink "/proc/$pid/exe") != */dockerd ]] || printf '%s\n' "$pid"
}

# engine_name: the name of the lab's running engine, empty if none runs.
engine_name() {
  local pid name
  pid=$(engine_pid)
  [ -n "$pid" ] || return 0
  name=$(sed -zn 's/^GROUNDWORK_LAB_ENGINE=//p' "/proc/$pid/environ" | tr -d '\0')
  printf '%s\n' "${name:-bookworm}"
}

# become NAME LAUNCHER ARGUMENT...: replaces this shell with the dockerd of a prepared engine, started by a command such as setsid.
become() {
  local name=$1 launcher
  read -ra launcher <<<"$2"
  shift 2
  export GROUNDWORK_LAB_ENGINE=$name
  [ "$name" != bookworm ] || exec "${launcher[@]}" dockerd "$@"
  # The default of Docker 29.
  [ "$name" != forky ] || export DOCKER_MIN_API_VERSION=1.44
  # In a plain chroot, the engine cannot import images. The mounts end with the last process.
  # shellcheck disable=SC2016 # expanded in the root
  exec "${launcher[@]}" unshare --mount sh -euc '
    root=$1 data=$2
    shift 2
    mount --bind "$root" "$root"
    cd "$root"
    mount -t proc proc proc
    for folder in sys dev run; do
      mount --rbind "/$folder" "$folder"
    done
    # Hides the containerd of this machine, which cannot see the files in this root. dockerd starts its own.
    mkdir -p run/containerd
    mount -t tmpfs tmpfs run/containerd
    mount --bind "$data" var/lib/docker
    pivot_root . old
    umount --lazy /old
    exec chroot / dockerd "$@"
  ' engine "$(root_of "$name")" "$(data_of "$name")" "$@"
}

# prepare_engine NAME: installs the engine, and cleans up what a killed one left running.
prepare_engine() {
  local name=$1 folder folders
  mkdir -p "$ENGINE_FILES/$name"
  if [ "$name" = bookworm ]; then
    # Docker runs tini in containers with `init: true`.
    command -v dockerd >/dev/null || apt_install docker.io iptables tini
  else
    make_root "$name"
  fi
  stop_killed "$(data_of "$name")"
  # The engine must not restart containers of an earlier lab.
  mapfile -t folders < <(lab_containers "$(data_of "$name")")
  for folder in "${folders[@]}"; do
    sed -i 's/"RestartPolicy":{"Name":"[a-z-]*"/"RestartPolicy":{"Name":"no"/' "$folder/hostconfig.json"
  done
}

# make_root NAME: bootstraps the root of an engine, unless it was made from the same inputs.
make_root() {
  local inputs
  inputs=$(cd "$LAB_DIR" && fingerprint engines.sh engines)
  [ "$(cat "$(root_of "$1")/groundwork.lab.inputs" 2>/dev/null)" != "$inputs" ] || return 0
  apt_install mmdebstrap debian-archive-keyring
  step "bootstrapping the root of engine $1, about a minute" bootstrap_engine "$1" "$inputs"
}

bootstrap_engine() {
  local name=$1 root made mirror
  root=$(root_of "$name")
  # Left by a bootstrap that was killed.
  rm -rf "$root".*
  made=$(mktemp -d "$root.XXXXXX")
  chmod 0755 "$made"
  # In its own mount namespace, so that no mount survives a kill and has its content deleted by the rm above.
  mirror=$(debian_mirror)
  # forky changes every day, and a mirror may lag behind.
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
