#!/usr/bin/env bash
# remote-engine.sh DIRECTORY: makes the local engine reachable like a remote one: creates certificates for TCP with TLS, and keys and an
# sshd for ssh. Prints the sshd's port last, and writes its process id to DIRECTORY/sshd.pid.
set -euo pipefail
unset CDPATH
here=$(cd "$(dirname "$0")/../.." && pwd)
dir=$1
cd "$dir"

# shellcheck source=../../lab/lib.sh
sshd=$(
  . "$here/lab/lib.sh"
  binary=$LAB_CACHE/openssh-server/usr/sbin/sshd
  {
    apt_install openssh-client openssl libwrap0
    unpack openssh-server "$binary"
  } >&2
  echo "$binary"
)

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=CA -keyout ca-key.pem -out ca.pem 2>/dev/null
for name in server client; do
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name-key.pem" -out "$name.csr" 2>/dev/null
  printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' >"$name.ext"
  openssl x509 -req -days 2 -in "$name.csr" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile "$name.ext" -out "$name-cert.pem" 2>/dev/null
done
# The names that DOCKER_CERT_PATH requires.
mv client-key.pem key.pem
mv client-cert.pem cert.pem

port=$((20000 + RANDOM % 10000))
mkdir bin
for key in id host; do ssh-keygen -q -t ed25519 -N '' -f "$key"; done
cat >config <<EOF
Host engine
  HostName 127.0.0.1
  Port $port
  User root
  IdentityFile $dir/id
  UserKnownHostsFile $dir/known_hosts
  StrictHostKeyChecking accept-new
  ControlMaster auto
  ControlPath $dir/control
  ControlPersist 10m
EOF
# docker and the provider call ssh from the PATH.
printf '#!/bin/sh\nexec %s -F %s/config "$@"\n' "$(command -v ssh)" "$dir" >bin/ssh
chmod +x bin/ssh
# Set up as in docs/how-to/environment.md.
cat >sshd_config <<EOF
ListenAddress 127.0.0.1:$port
HostKey $dir/host
AuthorizedKeysFile $dir/id.pub
PidFile $dir/sshd.pid
StrictModes no
MaxSessions 64
EOF
# sshd's unprivileged user and folder come with its package, which is not installed: its service would listen on the network.
{ cat /etc/passwd && echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin'; } >passwd
mkdir -p /run/sshd
# shellcheck disable=SC2016 # for the inner shell
setsid unshare --mount sh -c 'mount --bind "$1/passwd" /etc/passwd && exec "$2" -D -e -f "$1/sshd_config"' \
  sh "$dir" "$sshd" >sshd.log 2>&1 </dev/null &
for _ in $(seq 50); do
  bin/ssh engine true 2>/dev/null && { echo "$port"; exit; }
  sleep 0.1
done
cat sshd.log >&2
exit 1
