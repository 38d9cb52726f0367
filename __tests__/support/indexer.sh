#!/bin/sh
# indexer.sh URL: indexes numbered documents below URL, one at a time. Repeats each until it is acknowledged, then prints its number.
trap "exit 0" TERM
number=0
while :; do
  # A machine that is off refuses no connection, so a timeout makes curl try the next node's address.
  until curl --silent --fail --output /dev/null --connect-timeout 2 --max-time 10 --request PUT \
    --header 'Content-Type: application/json' --data "{\"message\":\"document $number\"}" "$1/_doc/$number"; do
    sleep 0.1
  done
  echo "$number"
  number=$((number + 1))
  # Curl in a tight loop would take more CPU than the clusters.
  sleep 0.1
done
