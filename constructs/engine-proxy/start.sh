#!/bin/sh
# Runs HAProxy as an unprivileged user in the group of the engine's socket, whose GID differs between hosts. If the group may not write
# to the socket, runs it as root, whose only capabilities are CAP_SETGID and CAP_SETUID. POSIX sh.
# ENGINE_SOCKET  the engine's socket
set -eu
export PROXY_USER=99 PROXY_GROUP
PROXY_GROUP=$(stat -c %g "$ENGINE_SOCKET")
case $(stat -c %A "$ENGINE_SOCKET") in
  ?????w*) ;;
  *) PROXY_USER=0 ;;
esac
exec haproxy -db -f "$(dirname "$0")/haproxy.cfg"
