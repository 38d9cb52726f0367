#!/bin/sh
# Provisions index templates: creates what is absent, leaves what is there, reports what differs. Needs curl.
# OPENSEARCH_ENDPOINTS  base URLs of the nodes, separated by spaces
# OPENSEARCH_NODES      how many nodes have to have joined
# TEMPLATES_DIR         for each template: NAME.json (the body), NAME.compare.json (the body at a priority that no template
#                       has), NAME.meta (its fields outside `template`, flattened) and NAME.on-drift

here=$(dirname "$0")
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"

body=$GROUNDWORK_RUN_DIR/body
trap terminate TERM

# http METHOD PATH [FILE]: the status is in $STATUS, the answer in the file $body. 0 when the server gave an answer that means
# something; 75 when it did not.
http() {
  method=$1
  path=$2
  call_timeout_s 10
  set -- ${3+--data-binary "@$3"}
  # A node that is down is not asked twice in a row.
  endpoint=${OPENSEARCH_ENDPOINTS%% *}
  curl_status=0
  await curl --silent --show-error --max-time "$CALL_TIMEOUT_S" --request "$method" \
    --header 'Content-Type: application/json' --output "$body" --write-out '%{http_code}' \
    "$@" "$endpoint$path" >"$GROUNDWORK_RUN_DIR/status" 2>"$GROUNDWORK_RUN_DIR/curl-error" || curl_status=$?
  STATUS=$(cat "$GROUNDWORK_RUN_DIR/status")
  if [ "$curl_status" -ne 0 ]; then
    REASON="$method $endpoint$path: $(cat "$GROUNDWORK_RUN_DIR/curl-error")"
    # 3: the URL is malformed; 137: curl was killed.
    [ "$curl_status" -ne 3 ] || fail "$EX_CONFIG" "$REASON"
    [ "$curl_status" -lt 128 ] || fail "$curl_status" "curl was killed by signal $((curl_status - 128))"
    next_endpoint
    return "$EX_TEMPFAIL"
  fi
  case $STATUS in
    401 | 403) fail "$EX_NOPERM" "$method $path: HTTP $STATUS: $(answer)" ;;
    408 | 429 | 5??)
      REASON="$method $endpoint$path: HTTP $STATUS: $(answer)"
      next_endpoint
      return "$EX_TEMPFAIL"
      ;;
    2??)
      # A proxy may cut an answer without curl noticing.
      [ "$(tail -n 1 "$body")" = '}' ] || {
        REASON="$method $endpoint$path: HTTP $STATUS: the answer is not complete"
        return "$EX_TEMPFAIL"
      }
      ;;
  esac
}

next_endpoint() {
  case $OPENSEARCH_ENDPOINTS in
    *' '*) OPENSEARCH_ENDPOINTS="${OPENSEARCH_ENDPOINTS#* } ${OPENSEARCH_ENDPOINTS%% *}" ;;
  esac
}

# The server's own words, short enough for a log line.
answer() {
  tr -s ' \n' '  ' <"$body" | cut -c1-400
}

# flatten: pretty-printed JSON on standard input, one line `path=value` for each scalar on standard output.
flatten() {
  read -r _
  flatten_block ''
}

# flatten_block PATH [INDEX]: the lines of an object, or with an index those of an array, up to its end. Recursion keeps its
# state in the positional parameters, the only local ones of POSIX sh.
flatten_block() {
  while IFS= read -r line; do
    line=${line#"${line%%[! ]*}"}
    line=${line%,}
    case $line in
      '}' | ']') return 0 ;;
    esac
    if [ $# -eq 2 ]; then
      key=$1[$2]
      value=$line
      set -- "$1" $(($2 + 1))
    else
      key=${line%%'" : '*}
      key=$1${1:+.}${key#'"'}
      value=${line#*'" : '}
    fi
    case $value in
      '{') flatten_block "$key" ;;
      '[') flatten_block "$key" 0 ;;
      *) printf '%s=%s\n' "$key" "$value" ;;
    esac
  done
}

cluster_ready() {
  http GET "/_cluster/health?pretty&wait_for_nodes=%3E%3D$OPENSEARCH_NODES&wait_for_status=yellow&timeout=1s" && [ "$STATUS" = 200 ] && return 0
  nodes=$(sed -n 's/.*"number_of_nodes" : \([0-9]*\).*/\1/p' "$body" 2>/dev/null)
  [ -z "$nodes" ] || REASON="$nodes of $OPENSEARCH_NODES nodes have joined, or a primary shard is not assigned"
  return "$EX_TEMPFAIL"
}

# wanted NAME: how the server reads the declaration, as lines, in $wanted. The server normalises both sides, so that neither
# spelling nor order counts.
wanted() {
  http POST '/_index_template/_simulate?pretty&filter_path=template' "$TEMPLATES_DIR/$1.compare.json" || return
  [ "$STATUS" = 200 ] || fail "$EX_DATAERR" "index template $1: OpenSearch rejects it: HTTP $STATUS: $(answer)"
  { flatten <"$body" && cat "$TEMPLATES_DIR/$1.meta"; } | sort >"$wanted"
}

# actual NAME: the same for the template in the cluster, in $actual; its fingerprint in $MARK. STATUS 404 when there is none.
actual() {
  http GET "/_index_template/$1?pretty&filter_path=-index_templates.index_template.template" || return
  [ "$STATUS" != 404 ] || return 0
  flatten <"$body" | sed -n 's/^index_templates\[0\]\.index_template\.//p' >"$GROUNDWORK_RUN_DIR/meta"
  MARK=$(sed -n 's/^_meta\.fingerprint="\(.*\)"$/\1/p' "$GROUNDWORK_RUN_DIR/meta")
  http POST "/_index_template/_simulate/$1?pretty&filter_path=template" || return
  { flatten <"$body" && grep -v '^_meta\.fingerprint=' "$GROUNDWORK_RUN_DIR/meta"; } | sort >"$actual"
  STATUS=200
}

# same FILE FILE: cmp is not in every image.
same() {
  [ "$(fingerprint "$1")" = "$(fingerprint "$2")" ]
}

fingerprint() {
  sha256sum <"$1" | cut -d' ' -f1
}

# put NAME QUERY: sends the declaration with the fingerprint of what it means, by which a later run knows its own work.
put() {
  sed "s/@FINGERPRINT@/$(fingerprint "$wanted")/" "$TEMPLATES_DIR/$1.json" >"$GROUNDWORK_RUN_DIR/put.json"
  http PUT "/_index_template/$1?pretty$2" "$GROUNDWORK_RUN_DIR/put.json"
}

# report NAME WANTED ACTUAL: each field that differs.
report() {
  comm -3 "$2" "$3" | tr -d '\t' | sed 's/=.*//' | sort -u | while IFS= read -r path; do
    drift "$1" "$path" "$(value_of "$2" "$path")" "$(value_of "$3" "$path")"
  done
}

# value_of FILE PATH
value_of() {
  while IFS= read -r entry; do
    case $entry in
      "$2="*)
        printf '%s\n' "${entry#*=}"
        return
        ;;
    esac
  done <"$1"
  echo absent
}

# verify NAME: a new index that matches gets the declaration, and not what a template of a higher priority says.
verify() {
  pattern=$(sed -n 's/^index_patterns\[0\]="\(.*\)"$/\1/p' "$TEMPLATES_DIR/$1.meta")
  probe=$(printf '%s' "$pattern" | sed 's/\*/groundwork-probe/g')
  http POST "/_index_template/_simulate_index/$probe?pretty&filter_path=template" || return
  flatten <"$body" | sort >"$actual"
  sed -n '/^template[.=]/p' "$wanted" >"$GROUNDWORK_RUN_DIR/applied"
  ! same "$GROUNDWORK_RUN_DIR/applied" "$actual" || return 0
  report "$1" "$GROUNDWORK_RUN_DIR/applied" "$actual"
  log warn shadowed resource "$1" probe "$probe" reason 'another template of a higher priority applies to its indices'
  return "$EX_CANTCREAT"
}

provision() {
  name=$1
  on_drift=$(cat "$TEMPLATES_DIR/$name.on-drift")
  retry "index template $name" wanted "$name" || exit
  retry "index template $name" actual "$name" || exit
  outcome=unchanged
  if [ "$STATUS" = 404 ]; then
    retry "index template $name" put "$name" '&create=true' || exit
    case $STATUS in
      2??) outcome=created ;;
      *)
        grep -q 'already exists' "$body" ||
          fail "$EX_DATAERR" "index template $name: OpenSearch rejects it: HTTP $STATUS: $(answer)"
        # Another sidecar was quicker.
        ;;
    esac
    retry "index template $name" actual "$name" || exit
  fi
  if ! same "$wanted" "$actual"; then
    report "$name" "$wanted" "$actual"
    if [ "$on_drift" = reconcile ] && [ "$MARK" = "$(fingerprint "$actual")" ]; then
      retry "index template $name" put "$name" '' || exit
      case $STATUS in
        2??) ;;
        *) fail "$EX_DATAERR" "index template $name: OpenSearch rejects it: HTTP $STATUS: $(answer)" ;;
      esac
      outcome=reconciled
    else
      reason="it differs, and onDrift is $on_drift"
      [ "$on_drift" != reconcile ] ||
        reason='not repaired: it was edited since it was created, or something else created it'
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

wanted=$GROUNDWORK_RUN_DIR/wanted
actual=$GROUNDWORK_RUN_DIR/actual

retry "OpenSearch with $OPENSEARCH_NODES nodes" cluster_ready || exit
log info ready '#nodes' "$OPENSEARCH_NODES"
for file in "$TEMPLATES_DIR"/*.on-drift; do
  name=${file##*/}
  provision "${name%.on-drift}"
done
finish
