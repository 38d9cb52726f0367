#!/bin/sh
# Provisions index templates: creates what is absent, leaves what is there, reports what differs. On top of rest.sh.
# TEMPLATES_DIR         for each template: NAME.json (the body, one line for each field and its value, `index_patterns`
#                       last, with @FINGERPRINT@ for the fingerprint in its _meta) and NAME.on-drift

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"
# shellcheck source=rest.sh
. "$here/rest.sh"

trap terminate TERM

# A priority that no template has: at the declaration's own, the server refuses to simulate it while the template exists.
COMPARE_PRIORITY=2000000011

# simulated: the template in an answer, as lines. An alias may be named after the index, whose name the server has made up.
simulated() {
  flatten <"$body" | sed '/^template\.aliases/s/simulate_template_index_[a-z0-9_-]\{22\}/{index}/'
}

# wanted NAME: how the server reads the declaration, as lines, in $wanted. The server normalises both sides, so that neither
# spelling nor order counts.
wanted() {
  sed "1s/.*/{ \"priority\": $COMPARE_PRIORITY,/; /^  \"priority\": /d" "$TEMPLATES_DIR/$1.json" >"$request"
  http POST '/_index_template/_simulate?pretty&filter_path=template' "$request" || return
  accepted "$1"
  simulated >"$GROUNDWORK_RUN_DIR/template"
  # It simulates what is inside of `template` alone. The rest it reads as the `_meta` of a mapping.
  {
    echo "{ \"index_patterns\": [\"groundwork-probe\"], \"priority\": $COMPARE_PRIORITY, \"template\": { \"mappings\": { \"_meta\":"
    sed '/^  "template": /d' "$TEMPLATES_DIR/$1.json"
    echo '} } }'
  } >"$request"
  http POST '/_index_template/_simulate?pretty&filter_path=template.mappings._meta' "$request" || return
  accepted "$1"
  {
    cat "$GROUNDWORK_RUN_DIR/template"
    # What the server adds and converts outside of `template`.
    flatten <"$body" | sed -n 's/^template\.mappings\._meta\.//p' |
      sed 's/^data_stream={ }$/data_stream.timestamp_field.name="@timestamp"/
        s/^priority="\(.*\)"$/priority=\1/; s/^version="\(.*\)"$/version=\1/' | unmarked
  } | sort >"$wanted"
}

# actual NAME: the same for the template in the cluster, in $actual; its fingerprint in $MARK. STATUS 404 when there is none.
actual() {
  http GET "/_index_template/$1?pretty&filter_path=-index_templates.index_template.template" || return
  [ "$STATUS" != 404 ] || return 0
  accepted "$1"
  flatten <"$body" | sed -n 's/^index_templates\[0\]\.index_template\.//p' >"$GROUNDWORK_RUN_DIR/meta"
  MARK=$(sed -n 's/^_meta\.fingerprint="\(.*\)"$/\1/p' "$GROUNDWORK_RUN_DIR/meta")
  http POST "/_index_template/_simulate/$1?pretty&filter_path=template" || return
  accepted "$1"
  { simulated && unmarked <"$GROUNDWORK_RUN_DIR/meta"; } | sort >"$actual"
}

# The lines of a template less its fingerprint, and less a _meta that has nothing else.
unmarked() {
  grep -v -e '^_meta\.fingerprint=' -e '^_meta={ }$'
}

# accepted NAME: ends the sidecar when the answer to what was asked about a template is not a success.
accepted() {
  case $STATUS in
    2??) ;;
    *)
      # A simulation has a name that the server made up.
      reason=$(answer | sed "s/simulate_template_[a-z0-9_-]\{22\}/$1/g")
      fail "$EX_DATAERR" "index template $1: OpenSearch rejects it: $reason: HTTP $STATUS"
      ;;
  esac
}

# put NAME QUERY: sends the declaration with the fingerprint of what it means, by which a later run knows its own work.
put() {
  sed "/^  \"_meta\": /s/\"fingerprint\":\"@FINGERPRINT@\"/\"fingerprint\":\"$(fingerprint "$wanted")\"/" "$TEMPLATES_DIR/$1.json" >"$request"
  http PUT "/_index_template/$1?pretty$2" "$request"
}

# verify NAME: a new index that matches gets the declaration, and not what a template of a higher priority says.
verify() {
  probe=$(sed -n 's/^index_patterns\[0\]="\(.*\)"$/\1/p' "$wanted" | sed 's/\*/groundwork-probe/g')
  http POST "/_index_template/_simulate_index/$(url_encode "$probe")?pretty&filter_path=template" || return
  accepted "$1"
  flatten <"$body" | aliases_of "$probe" >"$actual"
  sed -n '/^template[.=]/p' "$wanted" | aliases_of "$probe" >"$GROUNDWORK_RUN_DIR/applied"
  ! same "$GROUNDWORK_RUN_DIR/applied" "$actual" || return 0
  report "$1" "$GROUNDWORK_RUN_DIR/applied" "$actual"
  log warn shadowed resource "$1" probe "$probe" reason 'another template with a higher priority applies to its indices'
  return "$EX_CANTCREAT"
}

# aliases_of INDEX: the lines with that index in the names of aliases, whether they have to be quoted or not.
aliases_of() {
  sed "s/^template\\.aliases\\[\"\\([^\"]*\\)\"]/template.aliases.\\1/
    /^template\\.aliases/s/{index}/$(printf '%s\n' "$1" | sed 's/[&\/\\]/\\&/g')/" | sort
}

# url_encode TEXT: for one segment of a path. Byte by byte, as the C locale has it.
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
      # Otherwise another sidecar was quicker.
      *) grep -q 'already exists' "$body" || accepted "$name" ;;
    esac
    retry "index template $name" actual "$name" || exit
  fi
  if ! same "$wanted" "$actual"; then
    report "$name" "$wanted" "$actual"
    if [ "$on_drift" = reconcile ] && [ "$MARK" = "$(fingerprint "$actual")" ]; then
      retry "index template $name" put "$name" '' || exit
      accepted "$name"
      outcome=reconciled
    else
      reason="differs from its declaration, and onDrift is $on_drift"
      [ "$on_drift" != reconcile ] ||
        reason='not repaired: it was edited since os-init created it, or os-init did not create it'
      conclude "$name" "$on_drift" "$reason"
      return
    fi
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
