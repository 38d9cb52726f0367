#!/usr/bin/env bash
# with-key-pair.sh ARGUMENT...: curl with the key pair on standard input. No file and no argument of a process shows it.
key_pair=$(cat)
exec curl --cert <(printf '%s\n' "$key_pair") --key <(printf '%s\n' "$key_pair") "$@"
