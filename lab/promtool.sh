#!/usr/bin/env bash
# Prints the path of promtool: from the PATH, else Debian's, unpacked into the cache without installing its service.
. "$(dirname "$0")/lib.sh"

binary=$LAB_CACHE/prometheus/usr/bin/promtool
if ! command -v promtool; then
  command -v apt-get >/dev/null || fail "promtool is not on the PATH, and this machine has no apt-get to fetch it: install Prometheus's tools (https://prometheus.io/download/)"
  unpack prometheus "$binary" >&2
  printf '%s\n' "$binary"
fi
