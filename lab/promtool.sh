#!/usr/bin/env bash
# Prints the path of a promtool: the one on the PATH, else Debian's, unpacked into the cache without installing its service.
. "$(dirname "$0")/lib.sh"

binary=$LAB_CACHE/prometheus/usr/bin/promtool
if ! command -v promtool; then
  command -v apt-get >/dev/null || fail "needs promtool, and neither the PATH nor apt-get has it: install Prometheus' tools (https://prometheus.io/download/)"
  unpack prometheus "$binary" >&2
  printf '%s\n' "$binary"
fi
