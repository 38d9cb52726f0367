#!/bin/sh
# neighbours.sh [ADDRESS PORT]...: prints the kernel's vm.max_map_count, the size and free space in MiB of the engine's disk, the listening
# sockets, and which of the given addresses and ports answer. Runs in the machine's network.
echo "vm.max_map_count $(cat /proc/sys/vm/max_map_count)"
# The container's own files are on that disk.
df -Pk / | awk 'NR == 2 { print "disk", int($2 / 1024), int($4 / 1024) }'
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ local _ state _; do
  if [ "$state" = 0A ]; then
    echo "listens $local"
  fi
done
# Debian's busybox has no -z. There, connect and send nothing until the other side hangs up.
answers() {
  timeout 5 busybox nc -z -w 3 "$1" "$2" || timeout 5 busybox nc -w 3 "$1" "$2" </dev/null
}
while [ $# -gt 0 ]; do
  if answers "$1" "$2" >/dev/null 2>&1; then
    echo "answers $1 $2"
  fi
  shift 2
done
