#!/usr/bin/env bash
# Settings with a dot come from the environment, as in the official image.
set -euo pipefail
[ "$1" = opensearch ] || exec "$@"
settings=()
while IFS='=' read -r -d '' name value; do
  if [[ "$name" =~ ^[a-z0-9_]+\.[a-z0-9_.]+$ ]] && [ -n "$value" ]; then settings+=("-E$name=$value"); fi
done < <(env -0)
# shellcheck disable=SC2086
exec java -Xms1g -Xmx1g -XX:+UseG1GC -XX:+AlwaysPreTouch -Djava.awt.headless=true -Dfile.encoding=UTF-8 -Djna.nosys=true \
  -Dlog4j.shutdownHookEnabled=false -Dlog4j2.disable.jmx=true -Dio.netty.noUnsafe=true -Dio.netty.allocator.numDirectArenas=0 \
  --add-modules=jdk.incubator.vector ${OPENSEARCH_JAVA_OPTS:-} \
  -Dopensearch.path.home=/usr/share/opensearch -Dopensearch.path.conf=/usr/share/opensearch/config \
  -Dopensearch.distribution.type=docker -Dopensearch.bundled_jdk=false \
  -cp "/usr/share/opensearch/lib/*" org.opensearch.bootstrap.OpenSearch "${settings[@]}"
