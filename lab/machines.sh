#!/usr/bin/env bash
# Simulates several machines on this one: each is a network namespace with its own address, hostname, process tree, data folder and
# Docker engine. They reach one another and a registry with the main engine's images, and nothing else.
#
# machine  address        engine                             data
# a        10.231.86.11   unix:///run/groundwork-lab/a.sock  $LAB_CACHE/machines/a
# b        10.231.86.12   unix:///run/groundwork-lab/b.sock  $LAB_CACHE/machines/b
# ...
. "$(dirname "$0")/lib.sh"

SUBNET=10.231.86
GATEWAY=$SUBNET.1
BRIDGE=gwlab
REGISTRY_PORT=5780
ALL_NAMES=({a..z})
SOCKETS=/run/groundwork-lab
# The names of all machines that were started, including those that are off now.
ROSTER=$SOCKETS/machines
REGISTRY=$LAB_CACHE/registry
CGROUP=groundwork-lab
# By machine: the process that started it.
declare -A LAUNCHED

usage() {
  cat >&2 <<'USAGE'
usage: lab/machines.sh start COUNT [IMAGE...]  start machines a, b, c ... with these images of the main engine; keep those that run
       lab/machines.sh stop                    stop and remove all machines; keep their data and images
       lab/machines.sh kill NAME               cut the power: kill the engine and all container processes at once
       lab/machines.sh boot NAME               start a machine that was killed or wiped, with its data
       lab/machines.sh cut NAME                take its network link down
       lab/machines.sh heal NAME               take its network link up again
       lab/machines.sh freeze NAME             suspend (SIGSTOP) dockerd and containerd; containers keep running
       lab/machines.sh thaw NAME               resume dockerd and containerd
       lab/machines.sh wipe [NAME]             kill one or all machines and delete their data except images, as if new
USAGE
  exit 1
}

data_of() { printf '%s\n' "$LAB_CACHE/machines/$1"; }
netns_of() { printf 'groundwork-lab-%s\n' "$1"; }
link_of() { printf '%s-%s\n' "$BRIDGE" "$1"; }
address_of() { printf '%s.%s\n' "$SUBNET" $((10 + $(printf '%d' "'$1") - $(printf '%d' "'a") + 1)); }

# on NAME ARGUMENT...: runs docker against the engine of a machine.
on() {
  local name=$1
  shift
  docker --host "unix://$SOCKETS/$name.sock" "$@"
}

answers() { timeout 5 docker --host "unix://$SOCKETS/$1.sock" version >/dev/null 2>&1; }

# init_of NAME: the first process of a machine, empty if the machine is off. When it ends, the kernel kills all others.
init_of() {
  local pid
  for pid in $(ip netns pids "$(netns_of "$1")" 2>/dev/null); do
    # It has two process ids, and is 1 in the machine. The first process of a container has three.
    if grep -q "^NSpid:[[:space:]]*${pid}[[:space:]]1$" "/proc/$pid/status" 2>/dev/null; then
      printf '%s\n' "$pid"
    fi
  done
}

# made: every machine that runs or left a network namespace.
made() { ip netns list | sed -n 's/^groundwork-lab-\([a-z]\)\b.*/\1/p' | sort; }

# Marks every rule, so that those of an earlier version or a killed lab are found too.
COMMENT=groundwork-lab

# Rules for traffic on the bridge, in reverse order of precedence. If iptables sees bridged frames, Docker's policy drops them.
rules() {
  printf '%s\n' "FORWARD -i $BRIDGE -o $BRIDGE -j ACCEPT" \
    "INPUT -i $BRIDGE -m conntrack --ctstate NEW -j DROP" \
    "INPUT -i $BRIDGE -p tcp --dport $REGISTRY_PORT -j ACCEPT"
}

remove_rules() {
  local rule
  while read -r rule; do
    # shellcheck disable=SC2086 # a rule is several words
    iptables -w -D $rule
  done < <(iptables -w -S 2>/dev/null | sed -n "/ --comment \"\?$COMMENT\"\? /s/^-A //p")
}

add_rules() {
  local rule
  while read -r rule; do
    # shellcheck disable=SC2086
    iptables -w -I $rule -m comment --comment "$COMMENT"
  done < <(rules)
}

remove_network() {
  remove_rules
  ip link delete "$BRIDGE" 2>/dev/null || true
}

make_network() {
  local routes
  ip link delete gwlab-vxlan 2>/dev/null || true
  if ! ip link add gwlab-vxlan type vxlan id 1 dstport 4789 2>/dev/null; then
    fail "this kernel ($(uname -r)) has no VXLAN, which Swarm's overlay networks need: load it (modprobe vxlan), or use a kernel with CONFIG_VXLAN"
  fi
  ip link delete gwlab-vxlan
  routes=$({
    ip -4 route show table all root "$SUBNET.0/24"
    ip -4 route show table all match "$SUBNET.0/24"
  } | grep -v -e '^default' -e " dev $BRIDGE\b" | sort -u || true)
  [ -z "$routes" ] || fail "this machine already has a route to $SUBNET.0/24 ($(head -n 1 <<<"$routes" | xargs)), the network of the lab's machines: remove the route, or run the lab on another machine"
  ip link show "$BRIDGE" >/dev/null 2>&1 || ip link add "$BRIDGE" type bridge
  # With a link-local address, machines could reach this one by IPv6.
  ip link set "$BRIDGE" addrgenmode none
  ip address replace "$GATEWAY/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
  remove_rules
  add_rules
}

# Fails for a moment after the processes in the control group have died.
remove_cgroup() {
  [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

# power_off NAME: kills all processes of a machine at once, and removes everything except its data.
power_off() {
  local init pids cgroup
  init=$(init_of "$1")
  # Otherwise the engine could record how its containers ended.
  [ -z "$init" ] || signal_engine "$1" STOP || true
  pids=$(ip netns pids "$(netns_of "$1")" 2>/dev/null || true)
  # shellcheck disable=SC2086 # process ids
  [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
  # The first process ends after all others of the machine, including those in containers.
  # shellcheck disable=SC2086
  await 60 ended $init $pids || fail "machine $1: a process does not exit within 60 s of SIGKILL (process ids $(tr '\n' ' ' <<<"$init $pids")): it waits for a disk or the kernel"
  ip link delete "$(link_of "$1")" 2>/dev/null || true
  ip netns delete "$(netns_of "$1")" 2>/dev/null || true
  for cgroup in /sys/fs/cgroup/"$CGROUP/$1" /sys/fs/cgroup/*/"$CGROUP/$1"; do
    await 10 remove_cgroup "$cgroup" || say "could not remove control group $cgroup: it is empty and does no harm"
  done
  rm -f "$SOCKETS/$1.sock"
}

# power_on NAME: starts a machine that is off. Does not wait for its engine: see await_engine.
power_on() {
  local data netns link
  data=$(data_of "$1")
  netns=$(netns_of "$1")
  link=$(link_of "$1")
  mkdir -p "$data/docker" "$data/etc" "$data/sockets"
  ip netns add "$netns"
  ip link add "$link" type veth peer name eth0 netns "$netns"
  ip link set "$link" master "$BRIDGE" up
  ip -n "$netns" address add "$(address_of "$1")/24" dev eth0
  ip -n "$netns" link set lo up
  ip -n "$netns" link set eth0 up
  # Not `ip netns exec`, which hides the control groups. When the first process ends, so do all others.
  # shellcheck disable=SC2016 # expanded in the machine
  setsid nsenter --net="/run/netns/$netns" \
    unshare --mount --uts --pid --fork --kill-child --mount-proc sh -euc '
      name=$1 data=$2 sockets=$3 mirror=$4 cgroup=$5
      hostname "$name"
      # The inherited mounts of the main engine would keep its containers busy.
      umount --all --types overlay,nsfs 2>/dev/null || true
      mount --bind "$sockets" "$data/sockets"
      mount -t tmpfs -o mode=0755 tmpfs /run
      mkdir -p "$sockets" /var/lib/docker /etc/docker
      mount --move "$data/sockets" "$sockets"
      # An engine keeps its identity in /etc/docker.
      mount --bind "$data/etc" /etc/docker
      mount --bind "$data/docker" /var/lib/docker
      exec tini -- dockerd --host unix:///run/docker.sock --host "unix://$sockets/$name.sock" --cgroup-parent "$cgroup" \
        --registry-mirror "http://$mirror" --insecure-registry "$mirror"
    ' machine "$1" "$data" "$SOCKETS" "$GATEWAY:$REGISTRY_PORT" "/$CGROUP/$1" >"$data/dockerd.log" 2>&1 </dev/null &
  LAUNCHED[$1]=$!
}

# await_engine NAME: waits until the engine of a machine answers, and fails if it exits or after 120 s.
await_engine() {
  local log
  log=$(data_of "$1")/dockerd.log
  await 120 answers_or_ended "$1" && answers "$1" && return
  tail -n 20 "$log" >&2
  fail "machine $1: the Docker engine exited, or does not answer after 120 s: its last lines are above (log: $log)"
}

restart() {
  say "machine $1: the engine holds ports of containers that a killed engine was starting: starting it again"
  shut_down "$1"
  power_on "$1"
  await_engine "$1"
}

answers_or_ended() { answers "$1" || ended "${LAUNCHED[$1]}"; }

# shut_down NAME...: stops engines and their containers, kills them after 30 s, and removes everything of the machines except their data.
shut_down() {
  local name init inits=()
  for name in "$@"; do
    init=$(init_of "$name")
    [ -n "$init" ] || continue
    inits+=("$init")
    signal_engine "$name" CONT || true
    kill -TERM "$init" 2>/dev/null || true
  done
  await 30 ended "${inits[@]}" || true
  for name in "$@"; do
    power_off "$name"
  done
}

# signal_engine NAME SIGNAL: signals dockerd and containerd, if they have started.
signal_engine() {
  # shellcheck disable=SC2016 # expanded in the machine
  nsenter --target "$(init_of "$1")" --mount --pid sh -c '
    for file in /run/docker.pid /run/docker/containerd/containerd.pid; do
      [ ! -s "$file" ] || kill -s "$1" "$(cat "$file")"
    done
  ' signal "$2"
}

registry_binary() { printf '%s\n' "$LAB_CACHE/docker-registry/usr/bin/docker-registry"; }

# registry_pid KIND: the process of a registry (mirror or inbox), empty if it does not run.
registry_pid() {
  local pid
  pid=$(cat "$SOCKETS/$1.pid" 2>/dev/null) || return 0
  # Process ids are reused.
  if [[ $(readlink "/proc/$pid/exe") == */docker-registry ]]; then
    printf '%s\n' "$pid"
  fi
}

# start_registry KIND ADDRESS
start_registry() {
  local log=$LAB_CACHE/registry-$1.log
  [ -z "$(registry_pid "$1")" ] || return 0
  REGISTRY_HTTP_ADDR=$2:$REGISTRY_PORT REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=$REGISTRY/data \
    setsid "$(registry_binary)" serve "$LAB_DIR/registry.yml" >"$log" 2>&1 </dev/null &
  printf '%s\n' $! >"$SOCKETS/$1.pid"
  await 20 listens_or_ended "$2" $! && kill -0 $! 2>/dev/null && return
  tail -n 20 "$log" >&2
  fail "the registry for the machines' images does not listen on $2:$REGISTRY_PORT: its last lines are above (log: $log)"
}

listens_or_ended() { (: <"/dev/tcp/$1/$REGISTRY_PORT") 2>/dev/null || ended "$2"; }

stop_registry() {
  local pid
  pid=$(registry_pid "$1")
  if [ -n "$pid" ]; then
    kill "$pid" || true
    await 10 ended "$pid" || kill -KILL "$pid"
  fi
  rm -f "$SOCKETS/$1.pid"
}

# require_image NAME: fails if the main engine does not have the image, or if a mirror cannot serve its name.
require_image() {
  local host=${1%%/*}
  if [[ $1 == */* && ($host == *[.:]* || $host == localhost) ]]; then
    fail "image \"$1\" names a registry ($host), and the machines' mirror serves only names without one: tag it with a name such as apache/kafka:4.3.1"
  fi
  docker image inspect "$1" >/dev/null 2>&1 || fail "the main engine has no image \"$1\": correct the name, or build it with lab/images.sh"
}

image_id() { docker image inspect --format '{{.Id}}' "$1"; }
# pushed IMAGE: the file that records the id of the image in the registry.
pushed() { printf '%s\n' "$REGISTRY/pushed/${1//\//_}"; }

# push IMAGE: pushes an image from the main engine. Docker requires no TLS from a registry on a loopback address.
push() {
  local target=$1 status=0
  [[ $target == */* ]] || target=library/$target
  target=127.0.0.1:$REGISTRY_PORT/$target
  docker tag "$1" "$target" && docker push "$target" || status=$?
  docker image rm "$target" || true
  [ $status = 0 ] || return $status
  image_id "$1" >"$(pushed "$1")"
}

# Removes layers of images that a newer build replaced.
forget_replaced() {
  REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=$REGISTRY/data "$(registry_binary)" garbage-collect --delete-untagged "$LAB_DIR/registry.yml"
}

push_images() {
  local image changed=()
  for image in "$@"; do
    [ "$(cat "$(pushed "$image")" 2>/dev/null)" = "$(image_id "$image")" ] || changed+=("$image")
  done
  [ ${#changed[@]} -gt 0 ] || return 0
  stop_registry inbox
  start_registry inbox 127.0.0.1
  for image in "${changed[@]}"; do
    step "pushing image $image to the machines' registry" push "$image"
  done
  stop_registry inbox
  step "removing replaced images from the machines' registry" forget_replaced
}

# lacking MACHINE IMAGE...: the images that a machine does not have, or has in another version than the main engine.
lacking() {
  local name=$1 image
  shift
  for image in "$@"; do
    [ "$(on "$name" image inspect --format '{{.Id}}' "$image" 2>/dev/null)" = "$(image_id "$image")" ] || printf '%s\n' "$image"
  done
}

# pull MACHINE IMAGE...
pull() {
  local name=$1 image
  shift
  for image in "$@"; do
    on "$name" pull "$image" || return
  done
  on "$name" image prune --force
}

pull_everywhere() {
  local name pids=() pid status=0
  for name in "${names[@]}"; do
    # shellcheck disable=SC2086 # names of images have no spaces
    [ -z "${lacks[$name]}" ] || { pull "$name" ${lacks[$name]} & pids+=($!); }
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || status=$?
  done
  return $status
}

start() {
  local count=${1-} name names image extra=() started=() lacks_any="" began
  [[ $count =~ ^[1-9][0-9]?$ && $count -le ${#ALL_NAMES[@]} ]] ||
    fail "the number of machines is \"$count\": it must be an integer from 1 to ${#ALL_NAMES[@]}, as in lab/machines.sh start 3"
  shift
  names=("${ALL_NAMES[@]:0:count}")
  for image in "$@"; do
    require_image "$image"
  done
  command -v dockerd >/dev/null || fail "dockerd is not on the PATH: run lab/engine.sh first"
  apt_install iproute2 iptables tini
  unpack docker-registry "$(registry_binary)"
  mkdir -p "$SOCKETS" "$REGISTRY/data" "$REGISTRY/pushed"
  make_network
  start_registry mirror "$GATEWAY"

  for name in $(made); do
    [[ " ${names[*]} " == *" $name "* ]] || extra+=("$name")
  done
  if [ ${#extra[@]} -gt 0 ]; then
    step "stopping other machines: ${extra[*]}" shut_down "${extra[@]}"
  fi
  printf '%s\n' "${names[@]}" >"$ROSTER"

  began=$SECONDS
  for name in "${names[@]}"; do
    if [ -n "$(init_of "$name")" ] && answers "$name"; then
      ip link set "$(link_of "$name")" up
    else
      power_off "$name"
      stop_killed "$(data_of "$name")/docker"
      power_on "$name"
      started+=("$name")
    fi
  done
  if [ ${#started[@]} -gt 0 ]; then
    for name in "${started[@]}"; do
      await_engine "$name"
      await 5 holds_no_port "$(pgrep --parent "$(init_of "$name")" dockerd)" on "$name" || restart "$name"
    done
    say "started machines ${started[*]} in $((SECONDS - began))s"
  else
    say "already running: machines ${names[*]}"
  fi

  push_images "$@"
  local -A lacks
  for name in "${names[@]}"; do
    lacks[$name]=$(lacking "$name" "$@")
    lacks_any+=${lacks[$name]}
  done
  if [ -n "$lacks_any" ]; then
    step "pulling images on machines ${names[*]}" pull_everywhere
  fi
  say "machines ${names[*]} have the addresses $(address_of "${names[0]}") to $(address_of "${names[-1]}"), and engines at unix://$SOCKETS/NAME.sock"
}

stop() {
  local names kind
  mapfile -t names < <(made)
  if [ ${#names[@]} -gt 0 ]; then
    step "stopping machines ${names[*]}" shut_down "${names[@]}"
  else
    say "no machine is running"
  fi
  for kind in mirror inbox; do
    stop_registry "$kind"
  done
  remove_network
  rm -rf "$SOCKETS"
}

# require_machine NAME: fails if the machine was never started.
require_machine() {
  [ -s "$ROSTER" ] || fail "there are no machines: start them with lab/machines.sh start 3"
  grep -qxF -e "$1" "$ROSTER" || fail "unknown machine \"$1\": allowed are $(xargs <"$ROSTER")"
}

require_running() {
  [ -n "$(init_of "$1")" ] || fail "machine $1 is off: start it with lab/machines.sh boot $1"
}

machine_kill() {
  power_off "$1"
  say "machine $1 is off"
}

machine_boot() {
  if [ -z "$(init_of "$1")" ]; then
    local began=$SECONDS
    power_off "$1"
    power_on "$1"
    await_engine "$1"
    say "started machine $1 in $((SECONDS - began))s"
  elif answers "$1"; then
    say "machine $1 is already running"
  else
    fail "machine $1 is running, but its Docker engine does not answer: thaw it (lab/machines.sh thaw $1), or kill it first"
  fi
}

machine_cut() {
  require_running "$1"
  ip link set "$(link_of "$1")" down
  say "machine $1 is disconnected from the others"
}

machine_heal() {
  require_running "$1"
  ip link set "$(link_of "$1")" up
  say "machine $1 is connected to the others"
}

machine_freeze() {
  require_running "$1"
  signal_engine "$1" STOP
  say "the engine of machine $1 is suspended"
}

machine_thaw() {
  require_running "$1"
  signal_engine "$1" CONT
  say "the engine of machine $1 is resumed"
}

# machine_wipe NAME: deletes the layers that containers wrote and the engine's own state. Keeps the layers of images.
machine_wipe() {
  local data layer
  data=$(data_of "$1")
  power_off "$1"
  mkdir -p "$data/docker" "$data/etc"
  for layer in "$data"/docker/image/overlay2/layerdb/mounts/*/{mount-id,init-id}; do
    [ ! -e "$layer" ] || rm -rf "$data/docker/overlay2/$(cat "$layer")"
  done
  rm -rf "$data"/docker/image/overlay2/layerdb/mounts
  find "$data/docker" "$data/etc" -mindepth 1 -maxdepth 1 ! -path "$data/docker/image" ! -path "$data/docker/overlay2" -exec rm -rf {} +
  # Links to the deleted layers.
  [ ! -d "$data/docker/overlay2/l" ] || find "$data/docker/overlay2/l" -xtype l -delete
  say "machine $1 is off, and its data except images is deleted"
}

[ "$(id -u)" = 0 ] || fail "machines are network namespaces with Docker engines, which only root can create: run the lab as root"
[ $# -gt 0 ] || usage
command=$1
shift
case $command in
start) start "$@" ;;
stop)
  [ $# = 0 ] || usage
  stop
  ;;
wipe)
  [ $# -le 1 ] || usage
  for data in "$LAB_CACHE"/machines/${1:-*}; do
    name=${data##*/}
    # A machine's data stays when it is stopped.
    [[ $name == [a-z] && -d $data ]] || [ $# = 0 ] || require_machine "$name"
    [ ! -d "$data" ] || machine_wipe "$name"
  done
  ;;
kill | boot | cut | heal | freeze | thaw)
  [ $# = 1 ] || usage
  require_machine "$1"
  "machine_$command" "$1"
  ;;
*) usage ;;
esac
