#!/usr/bin/env bash
# Starts a Docker engine when none answers, and makes the kernel ready for OpenSearch.
# engine.sh stop: ends the one that it has started, with all its containers.
. "$(dirname "$0")/lib.sh"

# What was killed leaves things that the next engine trips over.
sweep() {
  local file pid folder
  for file in /run/docker.pid /run/docker/containerd/containerd.pid; do
    pid=$(cat "$file" 2>/dev/null) || continue
    case $(readlink "/proc/$pid/exe" 2>/dev/null) in
      */dockerd | */containerd) ;;
      *) rm -f "$file" ;;
    esac
  done
  # An engine starts containers again that were killed with it: of a lab's, nobody waits for them any more.
  for folder in /var/lib/docker/containers/*/; do
    if grep -qE '"groundwork\.(trial|environment)":"(lab|")' "$folder/config.v2.json" 2>/dev/null; then
      sed -i 's/"RestartPolicy":{"Name":"[a-z-]*"/"RestartPolicy":{"Name":"no"/' "$folder/hostconfig.json"
    fi
  done
  if ip netns list 2>/dev/null | grep -q '^groundwork-lab-' || ip link show gwlab >/dev/null 2>&1; then
    "$LAB_DIR/machines.sh" stop
  fi
  rm -rf "$LAB_CACHE"/images.*
  find "$LAB_CACHE" -maxdepth 1 \( -name 'step.*' -o -name 'unpack.*' \) -mmin +60 -exec rm -rf {} +
}

if [ "${1-}" = stop ]; then
  pid=$(cat "$LAB_CACHE/dockerd.pid" 2>/dev/null || true)
  # Numbers come again.
  if [[ -n $pid && $(readlink "/proc/$pid/exe") == */dockerd ]]; then
    kill -TERM "$pid"
    for _ in $(seq 120); do
      [ -d "/proc/$pid" ] || break
      sleep 0.5
    done
    [ ! -d "/proc/$pid" ] || kill -KILL "$pid"
    say "stopped the Docker engine"
  else
    say "the Docker engine is not the lab's: it goes on"
  fi
  exit
fi

if docker info >/dev/null 2>&1; then
  say "a Docker engine answers"
else
  [ "$(id -u)" = 0 ] || fail "no Docker engine answers, and only root can start one: start Docker, or run the lab as root"
  # tini is what `init: true` runs in a container.
  command -v dockerd >/dev/null || apt_install docker.io iptables tini
  sweep
  log=$LAB_CACHE/dockerd.log
  setsid dockerd >"$log" 2>&1 </dev/null &
  printf '%s\n' $! >"$LAB_CACHE/dockerd.pid"
  for _ in $(seq 120); do
    docker info >/dev/null 2>&1 && break
    kill -0 $! 2>/dev/null || { tail -n 20 "$log" >&2; fail "dockerd ended while starting, its last lines are above (log: $log)"; }
    sleep 0.5
  done
  docker info >/dev/null 2>&1 || { tail -n 20 "$log" >&2; fail "dockerd does not answer after 60 s, its last lines are above (log: $log)"; }
  say "started a Docker engine (log: $log)"
fi

# OpenSearch's bootstrap check, https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/
wanted=262144
if [ "$(cat /proc/sys/vm/max_map_count)" -lt $wanted ]; then
  [ "$(id -u)" = 0 ] || fail "vm.max_map_count is $(cat /proc/sys/vm/max_map_count), OpenSearch needs at least $wanted: sudo sysctl -w vm.max_map_count=$wanted"
  sysctl -qw vm.max_map_count=$wanted
  say "raised vm.max_map_count to $wanted"
fi
