#!/usr/bin/env bash
# capture.sh FILE: keeps what machine b of the lab sends to the others and gets from them, until it is ended.
. "$(dirname "$0")/../../lab/lib.sh"
command -v tcpdump >/dev/null || apt_install tcpdump
exec tcpdump --interface gwlab-b --immediate-mode --packet-buffered -w "$1"
