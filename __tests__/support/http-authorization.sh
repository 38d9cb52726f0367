#!/bin/sh
# http-authorization.sh METHOD URL BODY PRINCIPAL...: sends the same request as all principals in parallel, each with the curl
# config in the file of its name. Prints a line for each: the principal and the HTTP status, 000 for no answer.
method=$1 url=$2 body=$3
shift 3
statuses=$(mktemp -d)
for principal; do
  {
    set -- --silent --output /dev/null --write-out "$principal %{http_code}\n" --config "$principal" --cacert ca.pem --path-as-is --request "$method"
    [ "$method" != HEAD ] || set -- "$@" --head
    [ -z "$body" ] || set -- "$@" --header 'Content-Type: application/json' --data-binary "$body"
    curl "$@" "$url" >"$statuses/$principal"
  } &
done
wait
cat "$statuses"/*
rm -r "$statuses"
