#!/bin/bash
# open-search.sh METHOD URL [BODY]: sends a request and prints the response. Takes the output of credentials --format shell from standard
# input; none is needed without authentication.
set -euo pipefail
umask 077
eval "$(cat)"
options=(--silent --show-error --fail-with-body --max-time 30 --request "$1")
if [[ -n ${CA_BASE64:-} ]]; then
  base64 --decode <<<"$CA_BASE64" >/tmp/ca.pem
  options+=(--cacert /tmp/ca.pem)
fi
if [[ -n ${CLIENT_KEY_BASE64:-} ]]; then
  base64 --decode <<<"$CLIENT_CERTIFICATE_BASE64" >/tmp/certificate.pem
  base64 --decode <<<"$CLIENT_KEY_BASE64" >/tmp/key.pem
  options+=(--cert /tmp/certificate.pem --key /tmp/key.pem)
elif [[ -n ${OPENSEARCH_USERNAME:-} ]]; then
  login=$OPENSEARCH_USERNAME:$OPENSEARCH_PASSWORD
  login=${login//\\/\\\\}
  # In a file, since arguments are visible to others.
  printf 'user = "%s"\n' "${login//\"/\\\"}" >/tmp/curlrc
  options+=(--config /tmp/curlrc)
fi
if (($# > 2)); then
  options+=(--header 'content-type: application/json' --data "$3")
fi
# One stream, since the order of two is arbitrary.
exec 2>&1
code=0
curl "${options[@]}" --output /tmp/response "$2" || code=$?
if [[ -e /tmp/response ]]; then
  cat /tmp/response
fi
exit "$code"
