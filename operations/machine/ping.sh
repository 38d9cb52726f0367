#!/bin/sh
# ping.sh NAME...: which of these containers answer on the network that this one is on. A name is known a moment after its container is there.
for name; do
  for _ in 1 2 3; do
    if busybox ping -c 1 -W 1 "$name" >/dev/null 2>&1; then
      echo "$name"
      break
    fi
    sleep 0.5
  done
done
