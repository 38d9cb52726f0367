#!/usr/bin/env bash
set -euo pipefail

create() {
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka-1:19092 --create --if-not-exists --topic "$1" --partitions "$2"
}

create infra-events 3
create application-logs 6
