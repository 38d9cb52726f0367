#!/bin/sh
# Stands in for Alloy's metrics. OPENSEARCH_URL and PROMETHEUS_URL as in constructs/alloy/alloy.ts.
set -eu
sed "s|PROMETHEUS_URL|$PROMETHEUS_URL|" /lab/prometheus.yml >/tmp/prometheus.yml
prometheus-elasticsearch-exporter --es.uri="$OPENSEARCH_URL" --es.all --es.indices --web.listen-address=127.0.0.1:9114 &
cadvisor 127.0.0.1:9115 &
prometheus-node-exporter --path.procfs=/host/proc --path.sysfs=/sys --path.rootfs=/host/root --web.listen-address=127.0.0.1:9100 &
exec prometheus --config.file=/tmp/prometheus.yml --enable-feature=agent --storage.agent.path=/tmp/agent --web.listen-address=127.0.0.1:9116
