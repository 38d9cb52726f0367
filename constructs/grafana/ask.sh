#!/bin/sh
# ask.sh PATH: prints what Grafana's API answers the user admin. The password goes through pipes alone: whatever characters it has,
# and no process has it among its arguments. POSIX sh; needs curl and base64.
# ADMIN_PASSWORD_FILE  the password, one line

set -eu

login=$({ printf 'admin:' && tr -d '\n' <"$ADMIN_PASSWORD_FILE"; } | base64 | tr -d '\n')
printf 'Authorization: Basic %s\n' "$login" |
  curl --fail --silent --show-error --max-time 10 --header @- "http://127.0.0.1:3000$1"
