#!/usr/bin/env bash
# healthcheck.sh HOST PORT: exit 0 when the broker answers an ApiVersions request. Speaks the protocol itself, since a JVM
# every two seconds would cost more than the broker.
set -eu
exec 3<>"/dev/tcp/$1/$2"
# Length 10, api key 18 (ApiVersions), version 0, correlation id 7, no client id.
printf '\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff' >&3
# Length, the correlation id, error code 0.
answer=$(head -c 10 <&3 | od -An -tx1 | tr -d ' \n')
[ "${answer:8}" = 000000070000 ]
