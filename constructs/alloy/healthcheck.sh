#!/usr/bin/env bash
# Whether Alloy has loaded its configuration and runs. Bash, since the image has neither curl nor wget.
exec 3<>/dev/tcp/127.0.0.1/12345 || exit 1
printf 'GET /-/ready HTTP/1.0\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
