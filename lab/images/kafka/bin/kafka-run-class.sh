#!/usr/bin/env bash
# The distribution's wrapper, less what a container does not need: the same variables, the same defaults.
# Named one by one, since an archive of classes holds for one order of the jars.
classpath=$(printf '%s:' /opt/kafka/libs/*.jar)
archive=/opt/kafka/kafka.jsa
[ ! -e $archive ] || KAFKA_OPTS="-XX:SharedArchiveFile=$archive ${KAFKA_OPTS:-}"
# A JVM of the lab is started often and runs for minutes, on few CPUs, and the optimizing compiler would take a third of what a start
# costs: only what is called a hundred times as often as it asks for is worth its time, such as ciphers under load.
# shellcheck disable=SC2086 # options are words
exec java ${KAFKA_HEAP_OPTS:--Xmx256M} \
  ${KAFKA_JVM_PERFORMANCE_OPTS:--server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -Djava.awt.headless=true} \
  ${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=/opt/kafka/config/tools-log4j2.yaml} \
  -XX:Tier4InvocationThreshold=500000 -XX:Tier4MinInvocationThreshold=500000 -XX:Tier4CompileThreshold=1000000 -XX:Tier4BackEdgeThreshold=4000000 \
  ${KAFKA_OPTS:-} -cp "${classpath%:}" "$@"
