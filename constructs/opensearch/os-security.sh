#!/bin/sh
# Provisions applications: for each a user with its password, unless it is known by a certificate, a role and the mapping of one to the
# other. Creates what is absent, puts back what it made itself, leaves what someone else made, and revokes what it made and nobody
# declares any more. Puts back the platform's own roles too, groundwork_*, which a cluster has from its first start. On top of rest.sh.
# APPLICATIONS_DIR  for each application: NAME.role.json, NAME.mapping.json and, where it has a password, NAME.user.json (JSON as the
#                   server has it, a line for each scalar) and NAME.hash, its password as bcrypt has it
# MARK              the description by which it knows its own work

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"
# shellcheck source=rest.sh
. "$here/rest.sh"

trap terminate TERM

API=/_plugins/_security/api
# Applications' roles have a name space of their own, in which the server has some already.
ROLE_PREFIX=application-

request=$GROUNDWORK_RUN_DIR/request
wanted=$GROUNDWORK_RUN_DIR/wanted
actual=$GROUNDWORK_RUN_DIR/actual

# is_own NAME: whether that is a role of the platform's own. No application has an underscore in its name.
is_own() {
  case $1 in groundwork_*) ;; *) return 1 ;; esac
}

# locate KIND NAME: where the server has that, in $resource.
locate() {
  role=$ROLE_PREFIX$2
  ! is_own "$2" || role=$2
  case $1 in
    user) resource=internalusers/$2 ;;
    role) resource=roles/$role ;;
    mapping) resource=rolesmapping/$role ;;
  esac
}

# fetch RESOURCE: the answer is in the file $body, STATUS 404 when there is none.
fetch() {
  http GET "$API/$1?pretty"
}

# shown KIND: what the server shows of one thing, on standard input, as lines, less what it adds of its own.
shown() {
  flatten | sed "s/^[a-z0-9_-]*\\.//; s/^/$1./" |
    sed '/^[a-z]*\.\(reserved\|hidden\|static\)=false$/d; /^[a-z]*\.hash=""$/d; /=\[ \]$/d; /={ }$/d' | sort
}

# declared KIND NAME: the declaration, as a request in $request and as lines in $wanted.
declared() {
  file=$APPLICATIONS_DIR/$2.$1.json
  if [ "$1" = user ]; then
    # No process has the hash among its arguments. The server shows neither it nor an attribute named password.
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

# ensure KIND NAME: notes in $outcome what it had to do. 73 when someone else has made it.
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
      tell_differences "$2"
      [ "$outcome" = created ] || outcome=reconciled
      ;;
    *) refused "$2" ;;
  esac
  known=$STATUS
  retry "application $2" http PUT "$API/$resource?pretty" "$request" || exit
  case $STATUS in 2??) ;; *) refused "$2" ;; esac
  [ "$1 $known" != 'user 200' ] || users_changed=true
}

# tell_differences NAME: the drift report, without what was made of a password.
tell_differences() {
  for side in "$wanted" "$actual"; do
    grep -v '^user\.attributes\.fingerprint=' "$side" >"$side.open"
    grep '^user\.attributes\.fingerprint=' "$side" >"$side.secret"
  done
  same "$wanted.secret" "$actual.secret" || drift "$1" user.password 'as declared' 'different'
  report "$1" "$wanted.open" "$actual.open"
}

# refused NAME: ends the sidecar.
refused() {
  fail "$EX_DATAERR" "application $1: OpenSearch rejects it: $(answer): HTTP $STATUS"
}

# forget_logins: has every node forget whom it knows. One that checks a password while it is told that it is another takes it for right, and
# goes on doing so for an hour; whoever is let in so has been by now.
forget_logins() {
  pause 3000
  retry "flush of the authentication cache" http DELETE "$API/cache?pretty" || exit
  [ "$STATUS" = 200 ] || fail "$EX_DATAERR" "OpenSearch does not flush its authentication cache, so former passwords may still work: $(answer): HTTP $STATUS"
}

provision() {
  outcome=unchanged
  # The user first: another's is given no rights.
  for kind in user role mapping; do
    [ -e "$APPLICATIONS_DIR/$1.$kind.json" ] || continue
    ensure "$kind" "$1" || {
      conclude "$1" fail "$resource was not created by Groundwork: rename the application, or delete $resource"
      return
    }
  done
  settle "$outcome" "$1"
}

# marked KIND: names of the applications of which it has made one, on standard output.
marked() {
  locate "$1" ''
  retry "applications" fetch "${resource%%/*}" || exit
  flatten <"$body" | sed -n "s/^${resource#*/}\\([a-z0-9-]*\\)\\.description=\"$MARK\"\$/\\1/p"
}

revoke() {
  locate "$1" "$2"
  retry "application $2" http DELETE "$API/$resource?pretty" || exit
  # 404: another run was quicker.
  case $STATUS in 2?? | 404) ;; *) refused "$2" ;; esac
}

for file in "$APPLICATIONS_DIR"/*.hash; do
  [ -e "$file" ] || continue
  # The server takes whatever it is given, and no password would fit that.
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
# What lets it in first.
for kind in user mapping role; do
  names=$(marked "$kind") || exit
  for name in $names; do
    if [ -e "$APPLICATIONS_DIR/$name.mapping.json" ]; then
      # Whoever has taken the name of an application has none of its rights.
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
[ "$users_changed" = false ] || forget_logins
finish
