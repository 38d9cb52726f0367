#!/usr/bin/env bash
# application.sh RECORDS DOCUMENTS <client.properties: writes that many records of 1 KiB, and that many documents in bulk requests.
# Takes the credentials of `npm run credentials` from client.properties and the environment. Prints the seconds that each took.
set -euo pipefail
records=$1 documents=$2
cd "$(mktemp -d)"
cat >client.properties
base64 --decode <<<"${CA_BASE64-}" >ca-bundle.pem

export KAFKA_HEAP_OPTS=-Xmx256m
produced=$(/opt/kafka/bin/kafka-producer-perf-test.sh --topic infra-events --num-records "$records" --record-size 1024 --throughput -1 \
  --command-config client.properties --command-property acks=all | tail -n 1)
# 200000 records sent, 51234.5 records/sec (50.03 MB/sec), ...
produced=$(awk '{ printf "%.2f", $1 / $4 }' <<<"$produced")

per_request=500
for ((i = 0; i < per_request; i++)); do
  printf '{"create":{}}\n{"@timestamp":"2026-01-01T00:00:00Z","message":"document %d of the benchmark"}\n' "$i"
done >bulk
login=()
if [ -n "${OPENSEARCH_PASSWORD-}" ]; then login=(--cacert ca-bundle.pem --user "$OPENSEARCH_USERNAME:$OPENSEARCH_PASSWORD"); fi
# One connection for all requests. curl does not send the part after the #.
indexed=$(curl --silent --fail "${login[@]}" --header 'Content-Type: application/x-ndjson' --data-binary @bulk --output answer \
  --write-out '%{time_total}\n' "$OPENSEARCH_URL/bench-1/_bulk#[1-$((documents / per_request))]" | awk '{ all += $1 } END { print all }')
grep -q '"errors":false' answer
printf '{"produced":%s,"indexed":%s}\n' "$produced" "$indexed"
