#!/bin/sh
# open-search-authorization.sh METHOD URL BODY PRINCIPAL...: sends the same request as every principal at once, each with the settings of
# curl in the file of its name. Prints a line for each: the principal and the HTTP status, 000 if there is no answer.
method=$1 url=$2 body=$3
shift 3
statuses=$(mktemp -d)
for principal; do
  {
    set -- --silent --output /dev/null --write-out "$principal %{http_code}\n" --config "$principal" --cacert ca.pem --request "$method"
    [ -z "$body" ] || set -- "$@" --header 'Content-Type: application/json' --data-binary "$body"
    curl "$@" "$url" >"$statuses/$principal"
  } &
done
wait
cat "$statuses"/*
rm -r "$statuses"
