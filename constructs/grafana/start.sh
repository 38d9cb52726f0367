#!/bin/sh
# start.sh COMMAND: gives the user admin the declared password, then runs COMMAND, the image's own entrypoint. Grafana itself takes
# the declared one over only when its database is made, and then cut of spaces and with its settings put in place of %(name)s. POSIX sh.
# ADMIN_PASSWORD_FILE  the password, one line
# GF_PATHS_HOME, GF_PATHS_CONFIG  as the image sets them

set -u

set_password() {
  grafana cli --homepath "$GF_PATHS_HOME" --config "$GF_PATHS_CONFIG" \
    admin reset-admin-password --password-from-stdin <"$ADMIN_PASSWORD_FILE"
}

# Grafana that shows its dashboards with another password is better than none.
if ! said=$(set_password 2>&1); then
  printf 'logger=start level=error msg="the password of the user admin stays what it was"\n%s\n' "$said" >&2
fi
exec "$@"
