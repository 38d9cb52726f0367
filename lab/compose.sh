#!/usr/bin/env bash
# Installs docker-compose, which the benchmark compares with. Never the newer plugin: Debian's engine does not bring it.
. "$(dirname "$0")/lib.sh"

command -v docker-compose >/dev/null || apt_install docker-compose
