#!/bin/sh
# Collects metrics in place of Alloy. OPENSEARCH_URL, KAFKA_BOOTSTRAP_SERVERS, KAFKA_VERSION and PROMETHEUS_URL are as in
# constructs/alloy/alloy.ts. Kafka's exporter runs only if its address is set, and cAdvisor only if the host is mounted. The metrics that
# Alloy derives from the exit relay's log are read from files in /lab/textfile.
# TLS_DIR  with TLS enabled: a folder with ca-bundle.pem, and with Alloy's key and certificate in key-pair.pem
set -eu
tls='{}'
if [ -n "${TLS_DIR-}" ]; then
  key_pair=$TLS_DIR/key-pair.pem
  tls="{ ca_file: $TLS_DIR/ca-bundle.pem, cert_file: $key_pair, key_file: $key_pair }"
  set -- --es.ca="$TLS_DIR/ca-bundle.pem" --es.client-cert="$key_pair" --es.client-private-key="$key_pair"
fi
sed "s|PROMETHEUS_URL|$PROMETHEUS_URL|; s|TLS_CONFIG|$tls|" /lab/prometheus.yml >/tmp/prometheus.yml
prometheus-elasticsearch-exporter --es.uri="$OPENSEARCH_URL" --es.all --es.indices --web.listen-address=127.0.0.1:9114 "$@" &
[ ! -d /host/proc ] || cadvisor -docker_only 127.0.0.1:9115 &
[ -z "${KAFKA_BOOTSTRAP_SERVERS-}" ] || kafka-exporter 127.0.0.1:9117 &
prometheus-node-exporter --path.procfs=/host/proc --path.sysfs=/sys --collector.textfile.directory=/lab/textfile --no-collector.filesystem \
  --web.listen-address=127.0.0.1:9100 &
prometheus-node-exporter --collector.disable-defaults --collector.filesystem --web.listen-address=127.0.0.1:9118 &
exec prometheus --config.file=/tmp/prometheus.yml --enable-feature=agent --storage.agent.path=/tmp/agent --web.listen-address=127.0.0.1:9116
