#!/usr/bin/env bash
# packet-capture.sh FILE: writes the packets between machine b of the lab and the others to a file, until it is stopped.
. "$(dirname "$0")/../../lab/lib.sh"
command -v tcpdump >/dev/null || apt_install tcpdump
exec tcpdump --interface gwlab-b --immediate-mode --packet-buffered -w "$1"
