#!/bin/sh
# kafka-write.sh BOOTSTRAP_SERVERS TOPIC NUMBER: writes one record, NUMBER.0, and prints its partition and offset as JSON. Takes the client's
# properties from standard input; none are needed without authentication.
set -eu
umask 077
{
  cat
  # Without a topic or a login, the client would wait for a minute.
  echo max.block.ms=20000
} >/tmp/client.properties
# The console producer does not tell the offset.
exec /opt/kafka/bin/kafka-run-class.sh org.apache.kafka.tools.VerifiableProducer --bootstrap-server "$1" \
  --producer.config /tmp/client.properties --topic "$2" --value-prefix "$3" --max-messages 1
