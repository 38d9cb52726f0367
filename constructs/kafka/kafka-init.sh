#!/bin/sh
# Runs kafka-init.jar with the JRE and the client library of the Kafka image. KafkaInit.java describes the variables.

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"

KAFKA_LIBS=${KAFKA_LIBS:-/opt/kafka/libs}

command -v java >/dev/null || fail "$EX_CONFIG" "java is not on the PATH: use the Kafka image"
class_path=$here/kafka-init.jar
# Only what it uses: the image's logging library makes the start 50 % slower.
for library in kafka-clients slf4j-api jackson-core; do
  set -- "$KAFKA_LIBS/$library"-[0-9]*.jar
  [ -e "$1" ] || fail "$EX_CONFIG" "$library is not in $KAFKA_LIBS: use the Kafka image"
  class_path=$class_path:$1
done

# No optimizing compiler for a second of work. A full heap kills the JVM, as the kernel does when the container's memory
# runs out: exit code 137.
exec java -XX:MaxRAMPercentage=40 -XX:MinRAMPercentage=40 -XX:OnOutOfMemoryError='kill -9 %p' -XX:+UseSerialGC \
  -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xlog:disable -Xlog:all=error:stderr \
  -cp "$class_path" KafkaInit
