#!/bin/sh
# start.sh COMMAND: gives Grafana a secret key of its own and the user admin the declared password, then runs COMMAND, the image's own
# entrypoint. Grafana itself takes the declared password over only when its database is made, and then cut of spaces and with its
# settings put in place of %(name)s. POSIX sh.
# ADMIN_PASSWORD_FILE  the password, one line
# GF_PATHS_HOME, GF_PATHS_CONFIG, GF_PATHS_DATA  as the image sets them

set -u

# Grafana encrypts secrets in its database with this key. Its default is public. The key is on the volume, since secrets are lost with
# it. A database without one is of an earlier version and encrypted with the default, which Grafana cannot replace.
use_secret_key() {
  key=$GF_PATHS_DATA/secret-key
  if [ ! -e "$key" ] && [ ! -e "$GF_PATHS_DATA/grafana.db" ]; then
    (umask 077 && head -c 32 /dev/urandom | base64 >"$key.new") && mv "$key.new" "$key"
  fi
  if [ -e "$key" ]; then
    export GF_SECURITY_SECRET_KEY="\$__file{$key}"
    export GF_SECRETS_MANAGER_ENCRYPTION_SECRET_KEY_V1_SECRET_KEY="\$__file{$key}"
  else
    echo 'logger=start level=warn msg="secrets in the database are encrypted with the default key, which is public: see docs/how-to/secrets.md"' >&2
  fi
}

set_password() {
  grafana cli --homepath "$GF_PATHS_HOME" --config "$GF_PATHS_CONFIG" \
    admin reset-admin-password --password-from-stdin <"$ADMIN_PASSWORD_FILE"
}

use_secret_key
# Grafana that shows its dashboards with another password is better than none.
if ! said=$(set_password 2>&1); then
  printf 'logger=start level=error msg="the password of the user admin stays what it was"\n%s\n' "$said" >&2
fi
exec "$@"
