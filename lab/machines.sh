#!/usr/bin/env bash
# Makes machines out of this one, for environments of several: network namespaces with an address, a hostname, a process tree, a data
# folder and a Docker engine each. They reach one another, and of everything else a registry that has the main engine's images.
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
# The names of the machines that were started, those that are off included.
ROSTER=$SOCKETS/machines
REGISTRY=$LAB_CACHE/registry
CGROUP=groundwork-lab
# The process that each machine was started with, by its name.
declare -A LAUNCHED

usage() {
  cat >&2 <<'USAGE'
usage: lab/machines.sh start COUNT [IMAGE...]  makes machines a, b, c ... with these images of the main engine; what runs already is left alone
       lab/machines.sh stop                    stops all of them and takes them down; their data and images stay
       lab/machines.sh kill NAME               cuts the power: the engine and every process of its containers die at once
       lab/machines.sh boot NAME               starts a machine that was killed or wiped, with the data that it has
       lab/machines.sh cut NAME                takes its network link down
       lab/machines.sh heal NAME               takes its network link up again
       lab/machines.sh freeze NAME             suspends (SIGSTOP) its dockerd and containerd; the processes of its containers go on
       lab/machines.sh thaw NAME               resumes them
       lab/machines.sh wipe [NAME]             kills it, or all, and empties its data folder of everything but images; it is a new machine then
USAGE
  exit 1
}

data_of() { printf '%s\n' "$LAB_CACHE/machines/$1"; }
netns_of() { printf 'groundwork-lab-%s\n' "$1"; }
link_of() { printf '%s-%s\n' "$BRIDGE" "$1"; }
address_of() { printf '%s.%s\n' "$SUBNET" $((10 + $(printf '%d' "'$1") - $(printf '%d' "'a") + 1)); }

# on NAME ARGUMENT...: docker on a machine's engine.
on() {
  local name=$1
  shift
  docker --host "unix://$SOCKETS/$name.sock" "$@"
}

answers() { timeout 5 docker --host "unix://$SOCKETS/$1.sock" version >/dev/null 2>&1; }

# init_of NAME: the first process of a machine, whose end is the end of all the others; nothing when the machine is off.
init_of() {
  local pid
  for pid in $(ip netns pids "$(netns_of "$1")" 2>/dev/null); do
    # Two numbers, of which 1 is the machine's; the first process of a container has three.
    if grep -q "^NSpid:[[:space:]]*${pid}[[:space:]]1$" "/proc/$pid/status" 2>/dev/null; then
      printf '%s\n' "$pid"
    fi
  done
}

# Every machine that is there or left something.
made() { ip netns list | sed -n 's/^groundwork-lab-\([a-z]\)\b.*/\1/p' | sort; }

# In every rule of ours, by which they are found again, whatever they were when an earlier lab was killed.
COMMENT=groundwork-lab

# Rules for what passes the bridge, the last one first. Where a bridge's frames pass through iptables, Docker's policy is to drop.
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
    fail "this kernel ($(uname -r)) has no VXLAN, which Swarm's overlay networks are made of: load it (modprobe vxlan), or use a kernel with CONFIG_VXLAN"
  fi
  ip link delete gwlab-vxlan
  routes=$({
    ip -4 route show table all root "$SUBNET.0/24"
    ip -4 route show table all match "$SUBNET.0/24"
  } | grep -v -e '^default' -e " dev $BRIDGE\b" | sort -u || true)
  [ -z "$routes" ] || fail "this machine has a route to $SUBNET.0/24 already ($(head -n 1 <<<"$routes" | xargs)), which is the network of the lab's machines: remove that route, or run the lab on another machine"
  ip link show "$BRIDGE" >/dev/null 2>&1 || ip link add "$BRIDGE" type bridge
  # With a link-local address machines would find a way to this one by IPv6.
  ip link set "$BRIDGE" addrgenmode none
  ip address replace "$GATEWAY/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
  remove_rules
  add_rules
}

# For a moment a group is busy with those that have just died in it.
remove_cgroup() {
  [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

# power_off NAME: kills all of a machine at once, and removes what is left of it but for its data.
power_off() {
  local init pids cgroup
  init=$(init_of "$1")
  # Else it could still record how containers end.
  [ -z "$init" ] || signal_engine "$1" STOP || true
  pids=$(ip netns pids "$(netns_of "$1")" 2>/dev/null || true)
  # shellcheck disable=SC2086 # numbers
  [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
  # The kernel lets the first process go when all of the machine's are gone, those of its containers included.
  # shellcheck disable=SC2086
  await 60 ended $init $pids || fail "machine $1: a process of it does not die after 60 s ($(tr '\n' ' ' <<<"$init $pids")): it waits for a disk or a kernel that does not answer"
  ip link delete "$(link_of "$1")" 2>/dev/null || true
  ip netns delete "$(netns_of "$1")" 2>/dev/null || true
  for cgroup in /sys/fs/cgroup/"$CGROUP/$1" /sys/fs/cgroup/*/"$CGROUP/$1"; do
    await 10 remove_cgroup "$cgroup" || say "could not remove control group $cgroup, which is empty and does no harm"
  done
  rm -f "$SOCKETS/$1.sock"
}

# power_on NAME: starts a machine that is off. Says nothing of whether its engine answers: see await_engine.
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
  # Not `ip netns exec`, which hides the control groups. The first process of a process tree takes all of it with it.
  # shellcheck disable=SC2016 # read in the machine
  setsid nsenter --net="/run/netns/$netns" \
    unshare --mount --uts --pid --fork --kill-child --mount-proc sh -euc '
      name=$1 data=$2 sockets=$3 mirror=$4 cgroup=$5
      hostname "$name"
      # The copies of what the main engine has mounted would keep that busy.
      umount --all --types overlay,nsfs 2>/dev/null || true
      mount --bind "$sockets" "$data/sockets"
      mount -t tmpfs -o mode=0755 tmpfs /run
      mkdir -p "$sockets" /var/lib/docker /etc/docker
      mount --move "$data/sockets" "$sockets"
      # An engine has its identity in /etc/docker.
      mount --bind "$data/etc" /etc/docker
      mount --bind "$data/docker" /var/lib/docker
      exec tini -- dockerd --host unix:///run/docker.sock --host "unix://$sockets/$name.sock" --cgroup-parent "$cgroup" \
        --registry-mirror "http://$mirror" --insecure-registry "$mirror"
    ' machine "$1" "$data" "$SOCKETS" "$GATEWAY:$REGISTRY_PORT" "/$CGROUP/$1" >"$data/dockerd.log" 2>&1 </dev/null &
  LAUNCHED[$1]=$!
}

# await_engine NAME: waits until the engine of a machine that was just started answers.
await_engine() {
  local log
  log=$(data_of "$1")/dockerd.log
  await 120 answers_or_ended "$1" && answers "$1" && return
  tail -n 20 "$log" >&2
  fail "machine $1: its engine ended, or does not answer after 120 s; its last lines are above (log: $log)"
}

answers_or_ended() { answers "$1" || ended "${LAUNCHED[$1]}"; }

# shut_down NAME...: stops engines with their containers, the hard way after 30 s, and removes what is left of the machines.
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

# signal_engine NAME SIGNAL: to dockerd and containerd, as far as they have started.
signal_engine() {
  # shellcheck disable=SC2016 # read in the machine
  nsenter --target "$(init_of "$1")" --mount --pid sh -c '
    for file in /run/docker.pid /run/docker/containerd/containerd.pid; do
      [ ! -s "$file" ] || kill -s "$1" "$(cat "$file")"
    done
  ' signal "$2"
}

registry_binary() { printf '%s\n' "$LAB_CACHE/docker-registry/usr/bin/docker-registry"; }

# registry_pid KIND: the process of the registry of that kind (mirror or inbox) when it runs.
registry_pid() {
  local pid
  pid=$(cat "$SOCKETS/$1.pid" 2>/dev/null) || return 0
  # Numbers come again.
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
  fail "the registry for the machines' images does not listen on $2:$REGISTRY_PORT, its last lines are above (log: $log)"
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

# require_image NAME: that the main engine has it, under a name that a mirror serves.
require_image() {
  local host=${1%%/*}
  if [[ $1 == */* && ($host == *[.:]* || $host == localhost) ]]; then
    fail "image \"$1\" names a registry of its own ($host), and a mirror serves names without one alone, such as apache/kafka:4.3.1: tag it with such a name"
  fi
  docker image inspect "$1" >/dev/null 2>&1 || fail "image \"$1\" is not in the main engine: correct the name, or make it with lab/images.sh"
}

image_id() { docker image inspect --format '{{.Id}}' "$1"; }
# pushed IMAGE: the file with the id of the image as the registry has it.
pushed() { printf '%s\n' "$REGISTRY/pushed/${1//\//_}"; }

# push IMAGE: from the main engine, which asks no certificate of a registry on the loopback.
push() {
  local target=$1 status=0
  [[ $target == */* ]] || target=library/$target
  target=127.0.0.1:$REGISTRY_PORT/$target
  docker tag "$1" "$target" && docker push "$target" || status=$?
  docker image rm "$target" || true
  [ $status = 0 ] || return $status
  image_id "$1" >"$(pushed "$1")"
}

# Removes what images consisted of before they were built anew.
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
  step "removing what was replaced from the machines' registry" forget_replaced
}

# lacking MACHINE IMAGE...: the images that a machine does not have as the main engine has them.
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
    fail "the number of machines is \"$count\": give a whole number from 1 to ${#ALL_NAMES[@]}, as in lab/machines.sh start 3"
  shift
  names=("${ALL_NAMES[@]:0:count}")
  for image in "$@"; do
    require_image "$image"
  done
  command -v dockerd >/dev/null || fail "there is no dockerd on the PATH: run lab/engine.sh first"
  apt_install iproute2 iptables tini
  unpack docker-registry "$(registry_binary)"
  mkdir -p "$SOCKETS" "$REGISTRY/data" "$REGISTRY/pushed"
  make_network
  start_registry mirror "$GATEWAY"

  for name in $(made); do
    [[ " ${names[*]} " == *" $name "* ]] || extra+=("$name")
  done
  if [ ${#extra[@]} -gt 0 ]; then
    step "stopping machines beyond the $count asked for: ${extra[*]}" shut_down "${extra[@]}"
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
    done
    say "started machines ${started[*]} in $((SECONDS - began))s"
  else
    say "machines ${names[*]} run already"
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
  say "machines ${names[*]} are at $(address_of "${names[0]}") to $(address_of "${names[-1]}"), their engines at unix://$SOCKETS/NAME.sock"
}

stop() {
  local names kind
  mapfile -t names < <(made)
  if [ ${#names[@]} -gt 0 ]; then
    step "stopping machines ${names[*]}" shut_down "${names[@]}"
  else
    say "no machine runs"
  fi
  for kind in mirror inbox; do
    stop_registry "$kind"
  done
  remove_network
  rm -rf "$SOCKETS"
}

# require_machine NAME: that it is one of those that were started.
require_machine() {
  [ -s "$ROSTER" ] || fail "there are no machines: make them with lab/machines.sh start 3"
  grep -qxF -e "$1" "$ROSTER" || fail "there is no machine \"$1\": there are $(xargs <"$ROSTER")"
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
    say "machine $1 runs already"
  else
    fail "machine $1 is on and its engine does not answer: thaw it (lab/machines.sh thaw $1), or kill it first"
  fi
}

machine_cut() {
  require_running "$1"
  ip link set "$(link_of "$1")" down
  say "machine $1 is cut off from the others"
}

machine_heal() {
  require_running "$1"
  ip link set "$(link_of "$1")" up
  say "machine $1 is connected with the others"
}

machine_freeze() {
  require_running "$1"
  signal_engine "$1" STOP
  say "the engine of machine $1 is suspended"
}

machine_thaw() {
  require_running "$1"
  signal_engine "$1" CONT
  say "the engine of machine $1 goes on"
}

# machine_wipe NAME: layers of images stay, those that containers wrote go, as does all that the engine knew of itself.
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
  # Short names of layers that went.
  [ ! -d "$data/docker/overlay2/l" ] || find "$data/docker/overlay2/l" -xtype l -delete
  say "machine $1 is off and has nothing but images"
}

[ "$(id -u)" = 0 ] || fail "machines are made of network namespaces and engines, which only root can make: run the lab as root"
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
    # The data of a machine outlives it.
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
