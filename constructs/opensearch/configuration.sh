# shellcheck shell=sh
# shellcheck disable=SC2154 # os-security.sh and rest.sh set the variables
# Applies the parts of the security plugin's configuration that its API can change. Uses rest.sh, and functions of os-security.sh.
# CONFIGURATION_DIR  for each part: PART.part.json, its value. PART is its path in the API, with dots for slashes. PART.initial.json is
#                    what a cluster has from its first start, perhaps by an earlier version.
# Creates missing parts. Applies a changed declaration if the part is as it was applied last, and reports drift otherwise. The lines that
# were applied last are the description of the role groundwork_configuration, in Base64, since the configuration has no room for a mark.

MEMORY=roles/groundwork_configuration

remembered=$GROUNDWORK_RUN_DIR/remembered
applied=$GROUNDWORK_RUN_DIR/applied
live=$GROUNDWORK_RUN_DIR/live
known=$GROUNDWORK_RUN_DIR/known

# lines FILE: prints a file of this sidecar as sorted lines.
lines() {
  sed 's/": /" : /; s/\[\]/[ ]/; s/{}/{ }/' "$1" | flatten | sort
}

# only FILE: prints the lines on standard input whose fields are in the file. The server shows more fields than are declared.
only() {
  awk '
    { field = $0; sub(/=.*/, "", field); sub(/\[[0-9]+\]$/, "", field) }
    FILENAME == ARGV[1] { fields[field]; next }
    field in fields
  ' "$1" - | sort
}

# recall PART: writes the lines that were applied last to $known.
recall() {
  sed -n "s/^$1 //p" "$remembered" >"$known"
  if [ ! -s "$known" ] && [ -e "$CONFIGURATION_DIR/$1.initial.json" ]; then
    lines "$CONFIGURATION_DIR/$1.initial.json" >"$known"
  fi
}

# configure PART
configure() {
  part=$(echo "$1" | tr . /)
  retry "security/$1" fetch "${part%%/*}" || exit
  [ "$STATUS" = 200 ] || unconfigurable "$1"
  # A request for another part of the security configuration leaves an empty list of hosts as null.
  flatten <"$body" | sed -n "s/^${1#*.}\\.//p" | sed 's/^ignore_hosts=null$/ignore_hosts=[ ]/' >"$live"
  lines "$CONFIGURATION_DIR/$1.part.json" >"$wanted"
  only "$wanted" <"$live" >"$actual"
  recall "$1"
  outcome=unchanged
  if [ ! -s "$live" ]; then
    outcome=created
  elif ! same "$wanted" "$actual"; then
    outcome=reconciled
    only "$known" <"$live" >"$known.live"
    if [ ! -s "$known" ] || ! same "$known" "$known.live"; then
      report drift "security/$1" "$wanted" "$actual"
      sed "s/^/$1 /" "$known" >>"$applied"
      conclude "security/$1" fail "$part was changed since os-security applied it: change it back, see docs/how-to/audit-trail.md"
      return
    fi
  fi
  if [ "$outcome" != unchanged ]; then
    write "$1"
  fi
  sed "s/^/$1 /" "$wanted" >>"$applied"
  settle "$outcome" "security/$1"
}

# write PART: sends the declaration of a part, which $part is the path of.
write() {
  set -- "$1" PUT "$part" "$CONFIGURATION_DIR/$1.part.json"
  case $part in
    securityconfig/*)
      # A request to replace this would remove what somebody else added beside the part.
      {
        printf '[{"op": "add", "path": "/%s", "value":\n' "${part#*/}"
        cat "$4"
        echo '}]'
      } >"$request"
      set -- "$1" PATCH "${part%%/*}" "$request"
      ;;
  esac
  retry "security/$1" http "$2" "$API/$3?pretty" "$4" || exit
  case $STATUS in 2??) ;; *) unconfigurable "$1" ;; esac
}

# unconfigurable PART: ends the sidecar after OpenSearch rejects a request.
unconfigurable() {
  fail "$EX_DATAERR" "security/$1: OpenSearch rejects it: $(answer): HTTP $STATUS"
}

# configure_all: configures every part, and remembers what was applied.
configure_all() {
  : >"$applied"
  retry "$MEMORY" fetch "$MEMORY" || exit
  flatten <"$body" | sed -n 's/^groundwork_configuration\.description="\(.*\)"$/\1/p' | base64 -d >"$remembered"
  for file in "$CONFIGURATION_DIR"/*.part.json; do
    [ -e "$file" ] || return 0
    name=${file##*/}
    configure "${name%.part.json}"
  done
  ! same "$remembered" "$applied" || return 0
  printf '{\n  "reserved": true,\n  "description": "%s"\n}\n' "$(base64 <"$applied" | tr -d '\n')" >"$request"
  retry "$MEMORY" http PUT "$API/$MEMORY?pretty" "$request" || exit
  case $STATUS in 2??) ;; *) unconfigurable "$MEMORY" ;; esac
}
