#!/bin/sh
# Provisions applications: for each one a user with its password (none for a client certificate), a role and a role mapping. Creates
# missing ones, restores those that it created, leaves those that it did not create, and deletes those that it created and that are no
# longer declared. Also restores the platform's own roles, groundwork_*, which a cluster has from its first start. Uses rest.sh.
# APPLICATIONS_DIR  for each application: NAME.role.json, NAME.mapping.json and, if it has a password, NAME.user.json (JSON as the
#                   server prints it, a line per scalar) and NAME.hash, the bcrypt hash of its password
# MARK              the description by which it recognizes what it created

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"
# shellcheck source=rest.sh
. "$here/rest.sh"

trap terminate TERM

API=/_plugins/_security/api
# A prefix keeps applications' roles apart from the server's own.
ROLE_PREFIX=application-

request=$GROUNDWORK_RUN_DIR/request
wanted=$GROUNDWORK_RUN_DIR/wanted
actual=$GROUNDWORK_RUN_DIR/actual

# is_own NAME: whether it is one of the platform's own roles. No application has an underscore in its name.
is_own() {
  case $1 in groundwork_*) ;; *) return 1 ;; esac
}

# locate KIND NAME: sets $resource, its path in the API.
locate() {
  role=$ROLE_PREFIX$2
  ! is_own "$2" || role=$2
  case $1 in
    user) resource=internalusers/$2 ;;
    role) resource=roles/$role ;;
    mapping) resource=rolesmapping/$role ;;
  esac
}

# fetch RESOURCE: writes the response to the file $body. STATUS is 404 if it does not exist.
fetch() {
  http GET "$API/$1?pretty"
}

# shown KIND: turns the response on standard input into lines, without the fields that the server adds.
shown() {
  flatten | sed "s/^[a-z0-9_-]*\\.//; s/^/$1./" |
    sed '/^[a-z]*\.\(reserved\|hidden\|static\)=false$/d; /^[a-z]*\.hash=""$/d; /=\[ \]$/d; /={ }$/d' | sort
}

# declared KIND NAME: writes the declaration as a request to $request, and as lines to $wanted.
declared() {
  file=$APPLICATIONS_DIR/$2.$1.json
  if [ "$1" = user ]; then
    # Keeps the hash out of process arguments. The server shows neither the hash nor an attribute named password.
    hash=$(cat "$APPLICATIONS_DIR/$2.hash")
    {
      printf '{\n  "attributes": {\n    "fingerprint": "%s"\n  },\n' "$(fingerprint "$APPLICATIONS_DIR/$2.hash")"
      sed 1d "$file"
    } >"$request.shown"
    {
      printf '{\n  "hash": "%s",\n' "$hash"
      sed 1d "$request.shown"
    } >"$request"
  else
    cp "$file" "$request.shown"
    cp "$file" "$request"
  fi
  sed 's/": /" : /' "$request.shown" | flatten | sed "s/^/$1./" | sort >"$wanted"
}

# ensure KIND NAME: creates or restores it, and sets $outcome. Returns 73 if it exists and the platform did not create it.
ensure() {
  locate "$1" "$2"
  declared "$1" "$2"
  retry "application $2" fetch "$resource" || exit
  case $STATUS in
    404) outcome=created ;;
    200)
      shown "$1" <"$body" >"$actual"
      if ! is_own "$2" && ! grep -q -F -x "$1.description=\"$MARK\"" "$actual"; then
        drift "$2" "$1" "created by Groundwork" "$resource, not created by Groundwork"
        return "$EX_CANTCREAT"
      fi
      ! same "$wanted" "$actual" || return 0
      report_drift "$2"
      [ "$outcome" = created ] || outcome=reconciled
      ;;
    *) rejected "$2" ;;
  esac
  known=$STATUS
  retry "application $2" http PUT "$API/$resource?pretty" "$request" || exit
  case $STATUS in 2??) ;; *) rejected "$2" ;; esac
  [ "$1 $known" != 'user 200' ] || users_changed=true
}

# report_drift NAME: reports the drift, without the fingerprint of the password.
report_drift() {
  for side in "$wanted" "$actual"; do
    grep -v '^user\.attributes\.fingerprint=' "$side" >"$side.public"
    grep '^user\.attributes\.fingerprint=' "$side" >"$side.secret"
  done
  same "$wanted.secret" "$actual.secret" || drift "$1" user.password 'as declared' 'different'
  report "$1" "$wanted.public" "$actual.public"
}

# rejected NAME: ends the sidecar after OpenSearch rejects a request.
rejected() {
  fail "$EX_DATAERR" "application $1: OpenSearch rejects it: $(answer): HTTP $STATUS"
}

# flush_cache: flushes the authentication cache on every node. A node that checks a former password while it gets the new one caches the
# former one as valid for an hour. Waits first, so that such checks have ended.
flush_cache() {
  pause 3000
  retry "flush of the authentication cache" http DELETE "$API/cache?pretty" || exit
  [ "$STATUS" = 200 ] || fail "$EX_DATAERR" "OpenSearch does not flush its authentication cache, so former passwords may still work: $(answer): HTTP $STATUS"
}

provision() {
  outcome=unchanged
  # The user first: a user that the platform did not create gets no permissions.
  for kind in user role mapping; do
    [ -e "$APPLICATIONS_DIR/$1.$kind.json" ] || continue
    ensure "$kind" "$1" || {
      conclude "$1" fail "$resource was not created by Groundwork: rename the application, or delete $resource"
      return
    }
  done
  settle "$outcome" "$1"
}

# marked KIND: prints the names of the applications for which it has created one.
marked() {
  locate "$1" ''
  retry "applications" fetch "${resource%%/*}" || exit
  flatten <"$body" | sed -n "s/^${resource#*/}\\([a-z0-9-]*\\)\\.description=\"$MARK\"\$/\\1/p"
}

revoke() {
  locate "$1" "$2"
  retry "application $2" http DELETE "$API/$resource?pretty" || exit
  # 404: another run deleted it first.
  case $STATUS in 2?? | 404) ;; *) rejected "$2" ;; esac
}

for file in "$APPLICATIONS_DIR"/*.hash; do
  [ -e "$file" ] || continue
  # The server accepts any text as a hash, and no password would match it.
  # shellcheck disable=SC2016
  [ "$(sed '/^\$2[aby]\$[0-9][0-9]\$[./A-Za-z0-9]\{53\}$/s/.*/hash/' "$file")" = hash ] ||
    fail "$EX_CONFIG" "${file##*/} must be one line with a bcrypt hash"
done

users_changed=false
retry "OpenSearch with $OPENSEARCH_NODES nodes" cluster_ready || exit
log info ready '#nodes' "$OPENSEARCH_NODES"
for file in "$APPLICATIONS_DIR"/*.mapping.json; do
  [ -e "$file" ] || continue
  name=${file##*/}
  provision "${name%.mapping.json}"
done
: >"$GROUNDWORK_RUN_DIR/revoked"
# The user first, which ends its access.
for kind in user mapping role; do
  names=$(marked "$kind") || exit
  for name in $names; do
    if [ -e "$APPLICATIONS_DIR/$name.mapping.json" ]; then
      # A user that took the name of an application keeps none of its permissions.
      grep -q -x "drifted $name" "$GROUNDWORK_RUN_DIR/record" || continue
    fi
    revoke "$kind" "$name"
    [ "$kind" != user ] || users_changed=true
    grep -q -x "$name" "$GROUNDWORK_RUN_DIR/revoked" || echo "$name" >>"$GROUNDWORK_RUN_DIR/revoked"
  done
done
while read -r name; do
  record revoked "$name"
  log info revoked resource "$name"
done <"$GROUNDWORK_RUN_DIR/revoked"
[ "$users_changed" = false ] || flush_cache
finish
