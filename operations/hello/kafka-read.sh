#!/bin/sh
# kafka-read.sh BOOTSTRAP_SERVERS TOPIC PARTITION OFFSET: prints the record at that offset. Joins no consumer group and commits nothing: a
# group of the application would lose its partitions. Takes the client's properties from standard input.
set -eu
umask 077
grep -v '^group\.id=' >/tmp/client.properties || true
exec /opt/kafka/bin/kafka-console-consumer.sh --bootstrap-server "$1" --consumer.config /tmp/client.properties \
  --topic "$2" --partition "$3" --offset "$4" --max-messages 1 --timeout-ms 30000
