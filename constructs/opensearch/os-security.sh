#!/bin/sh
# Provisions applications: for each one a user with its password (none for a client certificate), a role and a role mapping. Creates
# missing ones, restores those that it created, leaves those that it did not create, and deletes those that it created and that are no
# longer declared, such as the user of an application that has a certificate now. Also restores the platform's own roles, groundwork_*,
# which a cluster has from its first start, deletes that of retention policies after the last one, and configures the security plugin.
# Uses rest.sh and configuration.sh.
# APPLICATIONS_DIR  for each application: NAME.role.json, NAME.mapping.json and, if it has a password, NAME.user.json (JSON as the
#                   server prints it, a line per scalar) and NAME.hash, the bcrypt hash of its password
# MARK              the description by which it recognizes what it created

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"
# shellcheck source=rest.sh
. "$here/rest.sh"
# shellcheck source=configuration.sh
. "$here/configuration.sh"

trap terminate TERM

API=/_plugins/_security/api
# A prefix keeps applications' roles apart from the server's own.
ROLE_PREFIX=application-

request=$GROUNDWORK_RUN_DIR/request
wanted=$GROUNDWORK_RUN_DIR/wanted
actual=$GROUNDWORK_RUN_DIR/actual
hashes=$GROUNDWORK_RUN_DIR/hashes

# The line of a user whose password is the declared one.
AS_DECLARED='user.password=as declared'

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
  # printf is built in: the hash is in no process arguments.
  {
    if [ "$1" = user ]; then
      printf '{\n  "hash": "%s",\n' "$(cat "$APPLICATIONS_DIR/$2.hash")"
      sed 1d "$file"
    else
      cat "$file"
    fi
  } >"$request"
  {
    sed 's/": /" : /' "$file" | flatten | sed "s/^/$1./"
    [ "$1" != user ] || echo "$AS_DECLARED"
  } | sort >"$wanted"
}

# read_hashes: writes the hashes of all passwords to $hashes. The API shows none of them, but the administrator can read the document in
# which the security plugin stores its users, as JSON in Base64.
read_hashes() {
  http GET '/.opendistro_security/_source/internalusers?pretty' || return
  [ "$STATUS" = 200 ] || fail "$EX_DATAERR" "OpenSearch does not show its users: $(answer): HTTP $STATUS"
  sed -n 's/^  "internalusers" : "\(.*\)"$/\1/p' "$body" | base64 -d >"$hashes"
}

# compare_password NAME: prints whether the password is the declared one, as a line. Its user may have changed it.
compare_password() {
  stored=$(sed -n "s/.*\"$1\":{[^{}]*\"hash\":\"\([^\"]*\)\".*/\1/p" "$hashes")
  if [ "$stored" = "$(cat "$APPLICATIONS_DIR/$1.hash")" ]; then
    echo "$AS_DECLARED"
  else
    echo 'user.password=different'
  fi
}

# created_here KIND NAME: returns 73 if the platform did not create what the response in $actual shows.
created_here() {
  grep -q -F -x "$1.description=\"$MARK\"" "$actual" || {
    drift "$2" "$1" "created by Groundwork" "$resource, not created by Groundwork"
    return "$EX_CANTCREAT"
  }
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
      is_own "$2" || created_here "$1" "$2" || return
      if [ "$1" = user ]; then
        # Earlier versions stored a fingerprint of the hash.
        { sed '/^user\.attributes\.fingerprint=/d' "$actual" && compare_password "$2"; } | sort >"$actual.compared"
        mv "$actual.compared" "$actual"
      fi
      ! same "$wanted" "$actual" || return 0
      report drift "$2" "$wanted" "$actual"
      [ "$outcome" = created ] || outcome=reconciled
      ;;
    *) rejected "$2" ;;
  esac
  known=$STATUS
  retry "application $2" http PUT "$API/$resource?pretty" "$request" || exit
  case $STATUS in 2??) ;; *) rejected "$2" ;; esac
  [ "$1 $known" != 'user 200' ] || users_changed=true
}

# queries NAME: prints the query of each restriction in its role, a line for each.
queries() {
  # It is JSON within JSON, in which only quotes and backslashes are escaped.
  sed -n '/^ *"dls": "/{ s///; s/",\{0,1\}$//; s/\\\(["\\]\)/\1/g; p; }' "$APPLICATIONS_DIR/$1.role.json"
}

# validate_queries NAME: ends the sidecar if OpenSearch cannot parse a query. The security plugin accepts any, and ignores those that it
# cannot parse: the application would read every document.
validate_queries() {
  queries "$1" >"$GROUNDWORK_RUN_DIR/queries"
  while read -r query; do
    # Not echo, which may read backslashes.
    printf '{ "query": %s }\n' "$query" >"$request"
    # The server parses a query before it looks for indices. Without any, only that decides. A search, which the audit trail leaves out.
    retry "application $1" http POST "/groundwork-no-index-*/_search?size=0&allow_no_indices=true&pretty" "$request" || exit
    # An index from which it takes values is asked for once it is parsed.
    case $STATUS in 2??) continue ;; esac
    grep -q '"type" : "index_\(not_found\|closed\)_exception"' "$body" ||
      fail "$EX_DATAERR" "application $1: OpenSearch cannot parse documents $query, and would let it read every document: $(answer)"
  done <"$GROUNDWORK_RUN_DIR/queries"
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

# forbid_password NAME: deletes the user of an application that has a certificate now, and sets $outcome. Returns 73 if the platform did not
# create it: its password would get the application's permissions.
forbid_password() {
  ! is_own "$1" || return 0
  locate user "$1"
  retry "application $1" fetch "$resource" || exit
  case $STATUS in
    404) return 0 ;;
    200) ;;
    *) rejected "$1" ;;
  esac
  shown user <"$body" >"$actual"
  created_here user "$1" || return
  change "$1" user.password "none, since it has a certificate" present
  revoke user "$1"
  users_changed=true
  outcome=reconciled
}

# settle_kind KIND NAME: ensures it if it is declared.
settle_kind() {
  if [ -e "$APPLICATIONS_DIR/$2.$1.json" ]; then
    ensure "$1" "$2"
  elif [ "$1" = user ]; then
    forbid_password "$2"
  fi
}

provision() {
  outcome=unchanged
  validate_queries "$1"
  # The user first: a user that the platform did not create gets no permissions.
  for kind in user role mapping; do
    settle_kind "$kind" "$1" || {
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

# total_of PATH FIELD: prints a number of index state management, or 0 without its plugin. Ends the sidecar if OpenSearch does not say.
total_of() {
  retry "retention policies" http GET "/_plugins/_ism/$1?size=1&pretty&filter_path=$2" || exit
  case $STATUS in
    2??) flatten <"$body" | sed -n "s/^$2=//p" ;;
    *)
      grep -q 'no handler found for uri' "$body" ||
        fail "$EX_DATAERR" "OpenSearch does not show its retention policies: $(answer): HTTP $STATUS"
      echo 0
      ;;
  esac
}

# retire_retention: deletes the role of retention policies once none is declared and OpenSearch has none. It runs those that it has, and
# those of indices that it manages, with this role.
retire_retention() {
  name=groundwork_retention
  [ ! -e "$APPLICATIONS_DIR/$name.role.json" ] || return 0
  retry "role $name" fetch "roles/$name" || exit
  [ "$STATUS" = 200 ] || return 0
  policies=$(total_of policies total_policies) || exit
  indices=$(total_of explain total_managed_indices) || exit
  [ "$policies/$indices" = 0/0 ] || return 0
  revoke mapping "$name"
  revoke role "$name"
  echo "$name" >>"$GROUNDWORK_RUN_DIR/revoked"
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
configure_all
retry "passwords" read_hashes || exit
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
retire_retention
while read -r name; do
  record revoked "$name"
  log info revoked resource "$name"
done <"$GROUNDWORK_RUN_DIR/revoked"
[ "$users_changed" = false ] || flush_cache
finish
