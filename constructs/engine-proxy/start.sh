#!/bin/sh
# Runs HAProxy as a user of its own in the group of the engine's socket, whose number is another on every host; as root where the
# group may not write, and then without any right of root's but to change its user. POSIX sh.
# ENGINE_SOCKET  the engine's socket
set -eu
export PROXY_USER=99 PROXY_GROUP
PROXY_GROUP=$(stat -c %g "$ENGINE_SOCKET")
case $(stat -c %A "$ENGINE_SOCKET") in
  ?????w*) ;;
  *) PROXY_USER=0 ;;
esac
exec haproxy -db -f "$(dirname "$0")/haproxy.cfg"
