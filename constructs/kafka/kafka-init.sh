#!/bin/sh
# Provisions topics and applications: creates what is absent, leaves what is there, reports what differs. kafka-init.jar does it, in the JRE of the
# Kafka image and with the client library of the Kafka image; what it reads is told in KafkaInit.java.

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"

KAFKA_LIBS=${KAFKA_LIBS:-/opt/kafka/libs}

command -v java >/dev/null || fail "$EX_CONFIG" "there is no java on the PATH: the image has to be Kafka's"
class_path=$here/kafka-init.jar
# What it uses and no more: with the image's logging on the class path a start takes half as long again.
for library in kafka-clients slf4j-api jackson-core; do
  set -- "$KAFKA_LIBS/$library"-[0-9]*.jar
  [ -e "$1" ] || fail "$EX_CONFIG" "there is no $library in $KAFKA_LIBS: the image has to be Kafka's"
  class_path=$class_path:$1
done

# No optimising compiler for a second of work. The heap is a part of the container's memory, and a heap that is full is memory that ran
# out like any other: killed.
exec java -XX:MaxRAMPercentage=40 -XX:MinRAMPercentage=40 -XX:OnOutOfMemoryError='kill -9 %p' -XX:+UseSerialGC \
  -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xlog:disable -Xlog:all=error:stderr \
  -cp "$class_path" KafkaInit
