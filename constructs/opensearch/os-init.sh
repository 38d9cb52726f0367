#!/bin/sh
# Provisions index templates: creates missing ones, applies changed declarations, reports drift. Uses rest.sh.
# TEMPLATES_DIR         for each template: NAME.json (the body, one line per field, `index_patterns` last, with
#                       @FINGERPRINT@ for the fingerprint in its _meta) and NAME.on-drift

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"
# shellcheck source=rest.sh
. "$here/rest.sh"

trap terminate TERM

# A priority that no template has: the server refuses to simulate a template with the priority of an existing one.
COMPARE_PRIORITY=2000000011

# simulated: prints the template in a response, as lines. An alias may contain the name of the index, which the server generates.
simulated() {
  flatten <"$body" | sed '/^template\.aliases/s/simulate_template_index_[a-z0-9_-]\{22\}/{index}/'
}

# wanted NAME: writes the declaration as the server reads it, as lines, to $wanted. The server normalizes both sides, so spelling and
# order do not matter.
wanted() {
  sed "1s/.*/{ \"priority\": $COMPARE_PRIORITY,/; /^  \"priority\": /d" "$TEMPLATES_DIR/$1.json" >"$request"
  http POST '/_index_template/_simulate?pretty&filter_path=template' "$request" || return
  accepted "$1"
  simulated >"$GROUNDWORK_RUN_DIR/template"
  # A simulation covers only `template`. The server reads the other fields as the `_meta` of a mapping.
  {
    echo "{ \"index_patterns\": [\"groundwork-probe\"], \"priority\": $COMPARE_PRIORITY, \"template\": { \"mappings\": { \"_meta\":"
    sed '/^  "template": /d' "$TEMPLATES_DIR/$1.json"
    echo '} } }'
  } >"$request"
  http POST '/_index_template/_simulate?pretty&filter_path=template.mappings._meta' "$request" || return
  accepted "$1"
  {
    cat "$GROUNDWORK_RUN_DIR/template"
    # Mimics what the server adds and converts outside `template`.
    flatten <"$body" | sed -n 's/^template\.mappings\._meta\.//p' |
      sed 's/^data_stream={ }$/data_stream.timestamp_field.name="@timestamp"/
        s/^priority="\(.*\)"$/priority=\1/; s/^version="\(.*\)"$/version=\1/' | unmarked
  } | sort >"$wanted"
}

# actual NAME: writes the cluster's template to $actual in the same form, its fingerprint to $MARK. STATUS is 404 if it does not exist.
actual() {
  MARK=
  http GET "/_index_template/$1?pretty&filter_path=-index_templates.index_template.template" || return
  [ "$STATUS" != 404 ] || return 0
  accepted "$1"
  flatten <"$body" | sed -n 's/^index_templates\[0\]\.index_template\.//p' >"$GROUNDWORK_RUN_DIR/meta"
  MARK=$(sed -n 's/^_meta\.fingerprint="\(.*\)"$/\1/p' "$GROUNDWORK_RUN_DIR/meta")
  http POST "/_index_template/_simulate/$1?pretty&filter_path=template" || return
  accepted "$1"
  { simulated && unmarked <"$GROUNDWORK_RUN_DIR/meta"; } | sort >"$actual"
}

# unmarked: removes the fingerprint from the lines of a template, and a _meta that is empty without it.
unmarked() {
  grep -v -e '^_meta\.fingerprint=' -e '^_meta={ }$'
}

# accepted NAME: ends the sidecar unless the last request for a template succeeded.
accepted() {
  case $STATUS in
    2??) ;;
    *)
      # The server generates a name for a simulated template.
      reason=$(answer | sed "s/simulate_template_[a-z0-9_-]\{22\}/$1/g")
      fail "$EX_DATAERR" "index template $1: OpenSearch rejects it: $reason: HTTP $STATUS"
      ;;
  esac
}

# put NAME QUERY: sends the declaration with a fingerprint, by which a later run recognizes its own template.
put() {
  sed "/^  \"_meta\": /s/\"fingerprint\":\"@FINGERPRINT@\"/\"fingerprint\":\"$(fingerprint "$wanted")\"/" "$TEMPLATES_DIR/$1.json" >"$request"
  http PUT "/_index_template/$1?pretty$2" "$request"
}

# replace NAME: sends the declaration of a template that exists.
replace() {
  retry "index template $1" put "$1" '' || exit
  accepted "$1"
}

# verify NAME: checks that a new matching index gets the declaration, not a template with a higher priority.
verify() {
  probe=$(sed -n 's/^index_patterns\[0\]="\(.*\)"$/\1/p' "$wanted" | sed 's/\*/groundwork-probe/g')
  http POST "/_index_template/_simulate_index/$(url_encode "$probe")?pretty&filter_path=template" || return
  accepted "$1"
  flatten <"$body" | aliases_of "$probe" >"$actual"
  sed -n '/^template[.=]/p' "$wanted" | aliases_of "$probe" >"$GROUNDWORK_RUN_DIR/applied"
  ! same "$GROUNDWORK_RUN_DIR/applied" "$actual" || return 0
  report drift "$1" "$GROUNDWORK_RUN_DIR/applied" "$actual"
  log warn shadowed resource "$1" probe "$probe" reason 'another template with a higher priority applies to its indices'
  return "$EX_CANTCREAT"
}

# aliases_of INDEX: puts the index into the names of aliases, quoted or not.
aliases_of() {
  sed "s/^template\\.aliases\\[\"\\([^\"]*\\)\"]/template.aliases.\\1/
    /^template\\.aliases/s/{index}/$(printf '%s\n' "$1" | sed 's/[&\/\\]/\\&/g')/" | sort
}

# url_encode TEXT: encodes a path segment, byte by byte in the C locale.
url_encode() {
  printf '%s\n' "$1" | awk '
    BEGIN { for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i }
    {
      for (i = 1; i <= length($0); i++) {
        byte = substr($0, i, 1)
        encoded = encoded (byte ~ /[A-Za-z0-9._~-]/ ? byte : sprintf("%%%02X", code[byte]))
      }
      print encoded
    }'
}

provision() {
  name=$1
  read -r on_drift <"$TEMPLATES_DIR/$name.on-drift"
  retry "index template $name" wanted "$name" || exit
  retry "index template $name" actual "$name" || exit
  outcome=unchanged
  if [ "$STATUS" = 404 ]; then
    retry "index template $name" put "$name" '&create=true' || exit
    case $STATUS in
      2??) outcome=created ;;
      # Another sidecar may have created it first.
      *) grep -q 'already exists' "$body" || accepted "$name" ;;
    esac
    retry "index template $name" actual "$name" || exit
  fi
  if same "$wanted" "$actual"; then
    # Its own template was edited to what is now declared: the old mark would make the next change look like an edit.
    if [ -n "$MARK" ] && [ "$MARK" != "$(fingerprint "$actual")" ]; then
      replace "$name"
    fi
  elif [ "$MARK" = "$(fingerprint "$actual")" ]; then
    report change "$name" "$wanted" "$actual"
    replace "$name"
    outcome=reconciled
  else
    report drift "$name" "$wanted" "$actual"
    reason="differs from its declaration, and onDrift is $on_drift"
    [ "$on_drift" != reconcile ] ||
      reason='not repaired: it was edited since os-init applied it, or os-init did not create it'
    conclude "$name" "$on_drift" "$reason"
    return
  fi
  status=0
  retry "index template $name" verify "$name" || status=$?
  case $status in
    0) settle "$outcome" "$name" ;;
    "$EX_CANTCREAT") conclude "$name" "$on_drift" 'shadowed by another template' ;;
    *) exit "$status" ;;
  esac
}

request=$GROUNDWORK_RUN_DIR/request
wanted=$GROUNDWORK_RUN_DIR/wanted
actual=$GROUNDWORK_RUN_DIR/actual

retry "OpenSearch with $OPENSEARCH_NODES nodes" cluster_ready || exit
log info ready '#nodes' "$OPENSEARCH_NODES"
for file in "$TEMPLATES_DIR"/*.on-drift; do
  name=${file##*/}
  provision "${name%.on-drift}"
done
finish
