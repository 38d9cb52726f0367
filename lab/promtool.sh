#!/usr/bin/env bash
# Prints the path of a promtool: the one on the PATH, else Debian's, unpacked into the cache without installing its service.
. "$(dirname "$0")/lib.sh"

fetch_package() {
  local work
  work=$(mktemp -d "$LAB_CACHE/promtool.XXXXXX")
  (cd "$work" && { apt-get download prometheus || { apt-get update && apt-get download prometheus; }; } && dpkg -x prometheus_*.deb "$LAB_CACHE/promtool")
  rm -rf "$work"
}

binary=$LAB_CACHE/promtool/usr/bin/promtool
if ! command -v promtool; then
  command -v apt-get >/dev/null || fail "needs promtool, and neither the PATH nor apt-get has it: install Prometheus' tools (https://prometheus.io/download/)"
  [ -x "$binary" ] || step "fetching Debian's promtool" fetch_package >&2
  printf '%s\n' "$binary"
fi
