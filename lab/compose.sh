#!/usr/bin/env bash
# Installs docker-compose, which the benchmark compares with. Not the newer plugin: Debian does not package it with the engine.
. "$(dirname "$0")/lib.sh"

command -v docker-compose >/dev/null || apt_install docker-compose
