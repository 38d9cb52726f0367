#!/usr/bin/env bash
# Starts a Docker engine when none answers, and makes the kernel ready for OpenSearch.
. "$(dirname "$0")/lib.sh"

if docker info >/dev/null 2>&1; then
  say "a Docker engine answers"
else
  [ "$(id -u)" = 0 ] || fail "no Docker engine answers, and only root can start one: start Docker, or run the lab as root"
  # tini is what `init: true` runs in a container.
  command -v dockerd >/dev/null || apt_install docker.io iptables tini
  log=$LAB_CACHE/dockerd.log
  setsid dockerd >"$log" 2>&1 </dev/null &
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
