#!/usr/bin/env bash
# Settings with a dot come from the environment, as in the official image.
set -euo pipefail
[ "$1" = opensearch ] || exec "$@"
settings=()
while IFS='=' read -r -d '' name value; do
  if [[ "$name" =~ ^[a-z0-9_]+\.[a-z0-9_.]+$ ]] && [ -n "$value" ]; then settings+=("-E$name=$value"); fi
done < <(env -0)
# An image without the plugin does not know the setting.
if [ "${DISABLE_SECURITY_PLUGIN:-}" = true ] && [ -d plugins/opensearch-security ]; then
  settings+=("-Eplugins.security.disabled=true")
fi
# Named one by one, since an archive of classes holds for one order of the jars.
classpath=$(printf '%s:' /usr/share/opensearch/lib/*.jar)
archive=opensearch.jsa
[ ! -e $archive ] || OPENSEARCH_JAVA_OPTS="-XX:SharedArchiveFile=$archive ${OPENSEARCH_JAVA_OPTS:-}"
# As Kafka's in the lab (kafka-run-class.sh), with an optimizing compiler that takes to little.
# shellcheck disable=SC2086
exec java -Xms1g -Xmx1g -XX:+UseG1GC -XX:+AlwaysPreTouch -Djava.awt.headless=true -Dfile.encoding=UTF-8 -Djna.nosys=true \
  -Dlog4j.shutdownHookEnabled=false -Dlog4j2.disable.jmx=true -Dio.netty.noUnsafe=true -Dio.netty.allocator.numDirectArenas=0 \
  --add-modules=jdk.incubator.vector \
  -XX:Tier4InvocationThreshold=500000 -XX:Tier4MinInvocationThreshold=500000 -XX:Tier4CompileThreshold=1000000 -XX:Tier4BackEdgeThreshold=4000000 ${OPENSEARCH_JAVA_OPTS:-} \
  -Dopensearch.path.home=/usr/share/opensearch -Dopensearch.path.conf=/usr/share/opensearch/config \
  -Dopensearch.distribution.type=docker -Dopensearch.bundled_jdk=false \
  -cp "${classpath%:}" org.opensearch.bootstrap.OpenSearch "${settings[@]}"
