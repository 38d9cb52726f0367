#!/usr/bin/env bash
# run.sh CONFIG-DIRECTORY OPTION...: runs Alloy. Alloy fails to start if a component fails, and its Kafka exporter fails without a
# broker. So the script adds the exporter once a broker answers. Logs and exit codes never wait for Kafka, in any start order.
# KAFKA_BOOTSTRAP_SERVERS  the brokers, separated by commas; empty if another Alloy monitors them
set -u

config=$1
shift
rm -f "$config/kafka.alloy"

# answers HOST:PORT
answers() {
  (exec 3<>"/dev/tcp/${1%:*}/${1#*:}") 2>/dev/null
}

any_broker() {
  local broker
  for broker in ${KAFKA_BOOTSTRAP_SERVERS//,/ }; do
    answers "$broker" && return
  done
  return 1
}

reload() {
  exec 3<>/dev/tcp/127.0.0.1/12345 || return
  printf 'POST /-/reload HTTP/1.0\r\n\r\n' >&3
  read -r _ status _ <&3
  [ "$status" = 200 ]
}

# add_when FILE COMMAND...: adds a file to the configuration once the command succeeds.
add_when() {
  local part=$1
  shift
  until "$@"; do sleep 5; done
  cp "/groundwork/$part" "$config/"
  until (reload) 2>/dev/null; do sleep 5; done
}

[ -z "${KAFKA_BOOTSTRAP_SERVERS-}" ] || add_when kafka.alloy any_broker &
exec alloy run "$config" "$@"
