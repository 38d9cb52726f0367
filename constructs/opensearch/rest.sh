# shellcheck shell=sh
# REST client of OpenSearch's sidecars. Uses lib.sh, and curl, whose configuration has the CA bundle and the client certificate.
# OPENSEARCH_ENDPOINTS  base URLs of the nodes, separated by spaces
# OPENSEARCH_NODES      number of nodes that must have joined
# CALL_SECONDS          timeout of a request, 10 by default

body=$GROUNDWORK_RUN_DIR/body

# http METHOD PATH [FILE]: sends a request. Sets $STATUS and writes the response to the file $body. Returns 0 for a final response,
# 75 if the request should be retried.
http() {
  method=$1
  path=$2
  call_timeout_s "${CALL_SECONDS:-10}"
  set -- ${3+--data-binary "@$3"}
  # After a failure the next request goes to the next node.
  endpoint=${OPENSEARCH_ENDPOINTS%% *}
  curl_status=0
  await curl --silent --show-error --max-time "$CALL_TIMEOUT_S" --request "$method" \
    --header 'Content-Type: application/json' --output "$body" --write-out '%{http_code}' \
    "$@" "$endpoint$path" >"$GROUNDWORK_RUN_DIR/status" 2>"$GROUNDWORK_RUN_DIR/curl-error" || curl_status=$?
  # curl prints no line break, for which read returns 1.
  read -r STATUS <"$GROUNDWORK_RUN_DIR/status" || :
  if [ "$curl_status" -ne 0 ]; then
    REASON="$method $endpoint$path: $(cat "$GROUNDWORK_RUN_DIR/curl-error")"
    # 3: the URL is malformed; 137: curl was killed.
    [ "$curl_status" -ne 3 ] || fail "$EX_CONFIG" "$REASON"
    # 58 and 77: a certificate file of its configuration; 60: the server's certificate is not valid.
    case $curl_status in 58 | 77) fail "$EX_CONFIG" "$REASON" ;; 60) fail "$EX_NOPERM" "$REASON" ;; esac
    ! grep -q 'alert.* \(certificate\|ca\)\( \|,\|$\)' "$GROUNDWORK_RUN_DIR/curl-error" || fail "$EX_NOPERM" "$REASON"
    [ "$curl_status" -lt 128 ] || fail "$curl_status" "curl was killed by signal $((curl_status - 128))"
    next_endpoint
    return "$EX_TEMPFAIL"
  fi
  case $STATUS in
    401 | 403)
      # A read-only cluster also responds with 403. An administrator may lift the block, so retry.
      grep -q '"type" : "cluster_block_exception"' "$body" 2>/dev/null || fail "$EX_NOPERM" "$method $path: HTTP $STATUS: $(answer)"
      REASON="$method $path: HTTP $STATUS: $(answer)"
      return "$EX_TEMPFAIL"
      ;;
    408 | 429 | 5??)
      REASON="$method $endpoint$path: HTTP $STATUS: $(answer)"
      next_endpoint
      return "$EX_TEMPFAIL"
      ;;
    2??)
      # A proxy may cut a response without an error in curl.
      case $(tail -n 1 "$body") in
        '}' | '{ }') ;;
        *)
          REASON="$method $endpoint$path: HTTP $STATUS: the response is incomplete"
          return "$EX_TEMPFAIL"
          ;;
      esac
      ;;
  esac
}

next_endpoint() {
  case $OPENSEARCH_ENDPOINTS in
    *' '*) OPENSEARCH_ENDPOINTS="${OPENSEARCH_ENDPOINTS#* } ${OPENSEARCH_ENDPOINTS%% *}" ;;
  esac
}

# answer: prints the response as one readable line: the innermost cause first, then the outer ones, cut at 800 characters.
answer() {
  if grep -q '^  "error" : ' "$body" 2>/dev/null; then
    flatten <"$body" | causes
  else
    # Not OpenSearch's, or incomplete: a proxy's page, without its tags.
    tr '\n\r\t' '   ' <"$body" 2>/dev/null | sed 's/<[^>]*>/ /g' | tr -s ' ' | sed 's/^ //; s/ $//'
  fi | awk '
    { said = said $0 }
    END {
      if (length(said) > 800) {
        said = substr(said, 1, 800)
        # Cuts neither a word nor a character.
        if (!sub(/ [^ ]*$/, "", said)) sub(/[\300-\377][\200-\277]*$/, "", said)
        said = said " ..."
      }
      print said == "" ? "an empty response" : said
    }'
}

# causes: turns a flattened error on standard input into `innermost (outer; outermost)`.
causes() {
  awk '
    function text(json) {
      if (json == "null") return ""
      json = substr(json, 2, length(json) - 2)
      gsub(/\\[nrt]/, " ", json)
      gsub(/\\"/, "\"", json)
      gsub(/\\\\/, "\\", json)
      return json
    }
    BEGIN { deepest = 0 }
    /^error="/ { plain = text(substr($0, 7)) }
    match($0, /^error(\.caused_by)*\.(type|reason)=/) {
      field = substr($0, 1, RLENGTH - 1)
      said = text(substr($0, RLENGTH + 1))
      # A plugin may wrap an exception, whose reason then starts with its class.
      sub(/^([a-z0-9_]+\.)+[A-Za-z0-9_$]+: /, "", said)
      depth = gsub(/caused_by/, "", field)
      # Falls back to the type if there is no reason.
      if (said != "" && (field ~ /reason$/ || !(depth in cause))) cause[depth] = said
      if (depth > deepest) deepest = depth
    }
    END {
      line = plain
      for (depth = deepest; depth >= 0; depth--) {
        if (!(depth in cause)) continue
        said = cause[depth]
        # An outer reason often repeats the inner one at its end.
        tail = length(said) - length(inner)
        if (inner != "" && tail >= 0 && substr(said, tail + 1) == inner) {
          said = substr(said, 1, tail)
          sub(/[:; ]+$/, "", said)
        }
        inner = cause[depth]
        if (said == "") continue
        if (line == "") line = said
        else outer = outer (outer == "" ? "" : "; ") said
      }
      print line (outer == "" ? "" : " (" outer ")")
    }'
}

# flatten: turns pretty-printed JSON on standard input into a line `path=value` for each scalar, empty object and empty array. Quotes
# ambiguous keys: `_meta["a.b"]`.
flatten() {
  awk '
    BEGIN { depth = 0; position[depth] = -1 }
    NR == 1 { next }
    {
      sub(/^ */, "")
      sub(/,$/, "")
      if ($0 == "}" || $0 == "]") {
        depth--
        next
      }
      if (position[depth] >= 0) {
        where = path[depth] "[" position[depth]++ "]"
        value = $0
      } else {
        match($0, /^"([^"\\]|\\.)*" : /)
        key = substr($0, 2, RLENGTH - 5)
        value = substr($0, RLENGTH + 1)
        if (key ~ /[].=["\\]/ || key == "") {
          gsub(/=/, "%3D", key)
          where = path[depth] "[\"" key "\"]"
        } else {
          where = path[depth] (path[depth] == "" ? "" : ".") key
        }
      }
      if (value == "{" || value == "[") {
        path[++depth] = where
        position[depth] = value == "[" ? 0 : -1
      } else {
        print where "=" value
      }
    }'
}

cluster_ready() {
  http GET "/_cluster/health?pretty&wait_for_nodes=%3E%3D$OPENSEARCH_NODES&wait_for_status=yellow&timeout=1s" && [ "$STATUS" = 200 ] && return 0
  nodes=$(sed -n 's/.*"number_of_nodes" : \([0-9]*\).*/\1/p' "$body" 2>/dev/null)
  [ -z "$nodes" ] || REASON="$nodes of $OPENSEARCH_NODES nodes joined; waiting for all nodes and all primary shards"
  return "$EX_TEMPFAIL"
}

# same FILE FILE: compares two files. Not every image has cmp.
same() {
  # shellcheck disable=SC2046 # two hashes and two file names
  set -- $(sha256sum "$1" "$2")
  [ "$1" = "$3" ]
}

fingerprint() {
  sha256sum <"$1" | cut -d' ' -f1
}

# report EVENT NAME WANTED ACTUAL: logs the first 100 fields that differ, by name. The event is `drift` or `change`.
report() {
  awk '
    { at = index($0, "="); path = substr($0, 1, at - 1); value = substr($0, at + 1) }
    FILENAME == ARGV[1] { declared[path] = value; next }
    path in declared && declared[path] == value { delete declared[path]; next }
    { print path "\t" (path in declared ? declared[path] : "absent") "\t" value; delete declared[path] }
    END { for (path in declared) print path "\t" declared[path] "\tabsent" }
  ' "$3" "$4" | sort >"$GROUNDWORK_RUN_DIR/differences"
  head -n 100 "$GROUNDWORK_RUN_DIR/differences" | while IFS='	' read -r path declared actually; do
    "$1" "$2" "$path" "$declared" "$actually"
  done
  differences=$(($(wc -l <"$GROUNDWORK_RUN_DIR/differences")))
  [ "$differences" -le 100 ] || log warn drift_more resource "$2" '#fields' $((differences - 100))
}
