#!/usr/bin/env bash
# engine.sh [bookworm|trixie|forky]: starts that engine of the lab (see engines.sh), stops the lab's other ones, and prepares the kernel
# for OpenSearch. An engine that the lab did not start counts as bookworm.
# engine.sh stop: stops the engine that the lab started, with all its containers.
. "$(dirname "$0")/engines.sh"

# Removes what a killed engine leaves behind: the next one fails on it.
sweep() {
  local file pid
  for file in /run/docker.pid /run/docker/containerd/containerd.pid; do
    pid=$(cat "$file" 2>/dev/null) || continue
    case $(readlink "/proc/$pid/exe" 2>/dev/null) in
      */dockerd | */containerd) ;;
      *) rm -f "$file" ;;
    esac
  done
  if ip netns list 2>/dev/null | grep -q '^groundwork-lab-' || ip link show gwlab >/dev/null 2>&1; then
    "$LAB_DIR/machines.sh" stop
  fi
  rm -rf "$LAB_CACHE"/images.*
  find "$LAB_CACHE" -maxdepth 1 \( -name 'step.*' -o -name 'unpack.*' \) -mmin +60 -exec rm -rf {} +
}

stop() {
  local pid running
  pid=$(engine_pid)
  if [ -z "$pid" ]; then
    say "no Docker engine of the lab is running: nothing to stop"
    return
  fi
  running=$(engine_name)
  # images.sh takes images over only from engines that have this folder.
  mkdir -p "$ENGINE_FILES/$running"
  kill -TERM "$pid"
  for _ in $(seq 120); do
    [ -d "/proc/$pid" ] || break
    sleep 0.5
  done
  [ ! -d "/proc/$pid" ] || kill -KILL "$pid"
  say "stopped the Docker engine $running"
}

start() {
  sweep
  run_engine
  await 5 holds_no_port "$(engine_pid)" docker || restart
  say "started the Docker engine $name, $(docker version --format '{{.Server.Version}}') (log: $LAB_CACHE/dockerd.log)"
}

restart() {
  say "the engine holds ports of containers that a killed engine was starting: starting it again"
  stop
  run_engine
}

run_engine() {
  local log=$LAB_CACHE/dockerd.log
  become "$name" setsid >"$log" 2>&1 </dev/null &
  printf '%s\n' $! >"$PID_FILE"
  for _ in $(seq 120); do
    docker info >/dev/null 2>&1 && return
    kill -0 $! 2>/dev/null || { tail -n 20 "$log" >&2; fail "dockerd exited during startup: its last lines are above (log: $log)"; }
    sleep 0.5
  done
  tail -n 20 "$log" >&2
  fail "dockerd does not answer after 60 s: its last lines are above (log: $log)"
}

name=${1:-bookworm}
if [ "$name" = stop ]; then
  stop
  exit
fi
[[ " ${ENGINES[*]} " == *" $name "* ]] || fail "unknown engine \"$name\": allowed are ${ENGINES[*]}, or stop"
PATH=$(client_of "$name"):$PATH

running=$(engine_name)
if ! docker info >/dev/null 2>&1 || [ "${running:-$name}" != "$name" ]; then
  [ "$(id -u)" = 0 ] || fail "the Docker engine $name does not answer, and only root can start it: start Docker, or run the lab as root"
  prepare_engine "$name"
  # The shell remembers where it found docker before the engine had its own.
  hash -r
  [ -z "$running" ] || stop
  start
elif [ -n "$running" ] || [ "$name" = bookworm ]; then
  say "the Docker engine is running${running:+: $running}"
else
  fail "cannot start engine $name: a Docker engine that the lab did not start is running. Stop it (systemctl stop docker.socket docker.service), or omit --engine $name"
fi

# OpenSearch's bootstrap check, https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/
wanted=262144
if [ "$(cat /proc/sys/vm/max_map_count)" -lt $wanted ]; then
  [ "$(id -u)" = 0 ] || fail "vm.max_map_count is $(cat /proc/sys/vm/max_map_count), and OpenSearch needs at least $wanted: run sudo sysctl -w vm.max_map_count=$wanted"
  sysctl -qw vm.max_map_count=$wanted
  say "raised vm.max_map_count to $wanted"
fi
