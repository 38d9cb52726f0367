#!/bin/sh
# open-search-rights.sh METHOD URL BODY WHO...: one request as each of them at the same time, by the settings of curl in the file of that
# name; prints the HTTP statuses in their order, 000 where there is no answer.
method=$1 url=$2 body=$3
shift 3
statuses=$(mktemp -d)
for who; do
  {
    set -- --silent --output /dev/null --write-out '%{http_code} ' --config "$who" --cacert ca.pem --request "$method"
    [ -z "$body" ] || set -- "$@" --header 'Content-Type: application/json' --data-binary "$body"
    curl "$@" "$url" >"$statuses/$who"
  } &
done
wait
for who; do
  cat "$statuses/$who"
done
rm -r "$statuses"
