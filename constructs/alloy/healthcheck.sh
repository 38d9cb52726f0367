#!/usr/bin/env bash
# Checks that Alloy runs and has loaded its configuration. Bash, since the image has neither curl nor wget.
exec 3<>/dev/tcp/127.0.0.1/12345 || exit 1
printf 'GET /-/ready HTTP/1.0\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
