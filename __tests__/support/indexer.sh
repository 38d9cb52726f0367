#!/bin/sh
# indexer.sh URL: indexes numbered documents below URL, one after the other, each until it is acknowledged; prints its number then.
trap "exit 0" TERM
number=0
while :; do
  # A machine that is gone refuses nobody: the next node's address is tried instead.
  until curl --silent --fail --output /dev/null --connect-timeout 2 --max-time 10 --request PUT \
    --header 'Content-Type: application/json' --data "{\"message\":\"document $number\"}" "$1/_doc/$number"; do
    sleep 0.1
  done
  echo "$number"
  number=$((number + 1))
  # A curl after the other takes more of the CPUs than what is tried.
  sleep 0.1
done
