#!/usr/bin/env bash
# start.sh CONFIG-DIRECTORY OPTION...: runs Alloy. Its exporter for Kafka does not start without Kafka, and Alloy does not without
# every one of its components. So that part is added when a broker answers, whichever order the containers are started in, and
# logs and exit codes never wait for it.
# KAFKA_BOOTSTRAP_SERVERS  the brokers, separated by commas; nothing where another Alloy measures them
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

# add_when FILE COMMAND...: adds a part of the configuration when the command succeeds.
add_when() {
  local part=$1
  shift
  until "$@"; do sleep 5; done
  cp "/groundwork/$part" "$config/"
  until (reload) 2>/dev/null; do sleep 5; done
}

[ -z "${KAFKA_BOOTSTRAP_SERVERS-}" ] || add_when kafka.alloy any_broker &
exec alloy run "$config" "$@"
