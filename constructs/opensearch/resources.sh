# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # os-init.sh and rest.sh set and use the variables
# How os-init.sh reads, compares and writes each kind of resource. Uses rest.sh.

# A priority that no template has: the server refuses to simulate a template with the priority of an existing one.
COMPARE_PRIORITY=2000000011

request=$GROUNDWORK_RUN_DIR/request
wanted=$GROUNDWORK_RUN_DIR/wanted
actual=$GROUNDWORK_RUN_DIR/actual
# The lines of a simulated template: all, those that are not its components', and those of the declaration with its components'.
simulated=$GROUNDWORK_RUN_DIR/simulated
own=$GROUNDWORK_RUN_DIR/own
composed=$GROUNDWORK_RUN_DIR/composed
# Any JSON as the server prints it.
echoed=$GROUNDWORK_RUN_DIR/echoed

# locate RESOURCE: sets its $kind, $name and $api, the $file of its declaration without the suffix, and $what it is in messages.
locate() {
  name=${1#*/}
  case $1 in
    component-template/*) kind=component-template what="component template $name" api=/_component_template/$name ;;
    ingest-pipeline/*) kind=ingest-pipeline what="ingest pipeline $name" api=/_ingest/pipeline/$name ;;
    retention-policy/*) kind=retention-policy what="retention policy $name" api=$ISM/policies/$name ;;
    *) kind=index-template what="index template $name" api=/_index_template/$name ;;
  esac
  file=$DECLARED_DIR/${kind}s/$name
  [ "$kind" != retention-policy ] || file=$DECLARED_DIR/retention-policies/$name
}

# wanted: writes the declaration as the server reads it, as lines, to $wanted. The server normalizes both sides, so spelling and order do
# not matter.
wanted() {
  : >"$own"
  case $kind in *-template) simulate_declared || return ;; esac
  # A simulation covers only `template`.
  sed '/^  "template": /d' "$file.json" >"$GROUNDWORK_RUN_DIR/rest"
  echo_json "$GROUNDWORK_RUN_DIR/rest" || return
  if [ "$kind" = retention-policy ]; then
    policy_lines <"$echoed" >"$wanted"
    return
  fi
  { cat "$own" && normalized <"$echoed"; } | sort >"$wanted"
}

# simulate_declared: writes what the declared template has of its own to $own, and all that it has to $composed.
simulate_declared() {
  {
    probe '"priority"'
    # A component template has no patterns of its own.
    [ "$kind" = index-template ] || echo '"index_patterns": ["groundwork-probe"],'
    sed '1d; /^  "priority": /d' "$file.json"
  } >"$request"
  simulate '' "$request" || return
  cp "$simulated" "$composed"
  without_components "$(sed -n 's/^  "composed_of": \(.*\),$/\1/p' "$file.json")"
}

# actual: writes the cluster's resource to $actual in the same form, its fingerprint to $MARK. STATUS is 404 if it does not exist.
actual() {
  if [ "$kind" = retention-policy ]; then
    actual_policy
    return
  fi
  MARK=
  case $kind in
    # A simulation has the rest of a template.
    *-template) query='&filter_path=-*.*.template' inside='[a-z]*_templates\[0]\.[a-z]*_template' ;;
    *) query='' inside="\(\[\"\)\{0,1\}$name\(\"]\)\{0,1\}" ;;
  esac
  http GET "$api?pretty$query" || return
  [ "$STATUS" != 404 ] || return 0
  accepted
  flatten <"$body" | sed -n "s/^$inside\.//p" >"$GROUNDWORK_RUN_DIR/rest"
  MARK=$(sed -n 's/^_meta\.fingerprint="\(.*\)"$/\1/p; s/^description=".*\[fingerprint \([0-9a-f]*\)]"$/\1/p' "$GROUNDWORK_RUN_DIR/rest")
  : >"$own"
  case $kind in
    component-template)
      simulate_components "[\"$name\"]" || return
      cp "$simulated" "$own"
      ;;
    index-template)
      simulate "/$name" || return
      without_components "[$(sed -n 's/^composed_of\[[0-9]*]=//p' "$GROUNDWORK_RUN_DIR/rest" | tr '\n' ',' | sed 's/,$//')]" || return
      ;;
  esac
  { cat "$own" && normalized <"$GROUNDWORK_RUN_DIR/rest"; } | sort >"$actual"
}

# run_tests: checks what the declared pipeline makes of the documents of its tests. Ends the sidecar if a test fails.
run_tests() {
  {
    echo '{ "pipeline":'
    cat "$file.json"
    printf ', "docs": %s }\n' "$(sed -n 1p "$file.tests")"
  } >"$request"
  http POST '/_ingest/pipeline/_simulate?pretty' "$request" || return
  accepted
  flatten <"$body" | named_tests >"$simulated"
  sed -n 2p "$file.tests" >"$GROUNDWORK_RUN_DIR/rest"
  echo_json "$GROUNDWORK_RUN_DIR/rest" || return
  named_tests <"$echoed" >"$GROUNDWORK_RUN_DIR/expected"
  # "<any>" stands for any value.
  awk '
    { at = index($0, "="); path = substr($0, 1, at - 1) }
    FILENAME == ARGV[1] { if (substr($0, at + 1) == "\"<any>\"") any[path]; next }
    { print path in any ? path "=\"<any>\"" : $0 }
  ' "$GROUNDWORK_RUN_DIR/expected" "$simulated" | sort >"$own"
  ! same "$GROUNDWORK_RUN_DIR/expected" "$own" || return 0
  report drift "$resource" "$GROUNDWORK_RUN_DIR/expected" "$own"
  fail "$EX_DATAERR" "$what: it does not pass its tests, so it was not applied"
}

# named_tests: turns lines of a simulated pipeline into lines by which its author knows its tests, and sorts them.
named_tests() {
  sed -n 's/^docs\[\([0-9]*\)]=/tests[\1].expected=/p; s/^docs\[\([0-9]*\)]\.doc\._source/tests[\1].expected/p
    s/^docs\[\([0-9]*\)]\.error\.reason=/tests[\1].error=/p' | sort
}

# put QUERY: sends the declaration with a fingerprint, by which a later run recognizes its own resource.
put() {
  if [ "$kind" = retention-policy ]; then
    put_policy
    return
  fi
  sed "/^  \"_meta\": /s/\"fingerprint\":\"@FINGERPRINT@\"/\"fingerprint\":\"$(fingerprint "$wanted")\"/
    /^  \"description\": /s/\[fingerprint @FINGERPRINT@]\"\(,\{0,1\}\)$/[fingerprint $(fingerprint "$wanted")]\"\1/" "$file.json" >"$request"
  http PUT "$api?pretty$1" "$request"
}

# verify: checks what is in effect. Returns 73, with $reason, if it is not the declaration.
verify() {
  [ "$kind" != retention-policy ] || find_shadow || return
  if [ "$kind" != index-template ]; then
    [ "$outcome" != unchanged ] || return 0
    actual || return
    ! same "$wanted" "$actual" || return 0
    report drift "$resource" "$wanted" "$actual"
    reason='something else changed it at the same time'
  else
    # A new matching index gets the declaration, not a template with a higher priority.
    index=$(sed -n 's/^index_patterns\[0\]="\(.*\)"$/\1/p' "$wanted" | sed 's/\*/groundwork-probe/g')
    simulate_index || return
    aliases_of "$index" <"$simulated" >"$actual"
    aliases_of "$index" <"$composed" >"$GROUNDWORK_RUN_DIR/applied"
    ! same "$GROUNDWORK_RUN_DIR/applied" "$actual" || return 0
    report drift "$resource" "$GROUNDWORK_RUN_DIR/applied" "$actual"
    log warn shadowed resource "$resource" probe "$index" reason 'another template with a higher priority applies to its indices'
    reason='shadowed by another template'
  fi
  return "$EX_CANTCREAT"
}

# probe FIELDS: prints the start of a template to simulate.
probe() {
  echo "{ $1: $COMPARE_PRIORITY,"
}

# simulate PATH [FILE]: writes the lines of a simulated template to $simulated. An alias may contain the name of the index, which the
# server generates.
simulate() {
  http POST "/_index_template/_simulate$1?pretty&filter_path=template" ${2+"$2"} || return
  accepted
  flatten <"$body" | sed '/^template\.aliases/s/simulate_template_index_[a-z0-9_-]\{22\}/{index}/' >"$simulated"
}

# simulate_index: writes the lines of the template that a new index $index gets to $simulated. The server simulates none with the name of a
# data stream: then of the template that applies to that name.
simulate_index() {
  simulation=0
  http POST "/_index_template/_simulate_index/$(url_encode "$index")?pretty&filter_path=template" || simulation=$?
  if [ "$simulation" = "$EX_TEMPFAIL" ] && grep -q 'data stream \[.*] conflicts with index' "$body"; then
    http GET "/_index_template?pretty&$APPLYING" || return
    accepted
    applying=$(flatten <"$body" | applying_to "$index")
    : >"$simulated"
    [ -z "$applying" ] || simulate "/$applying"
    return
  fi
  [ "$simulation" = 0 ] || return "$simulation"
  accepted
  flatten <"$body" >"$simulated"
}

APPLYING='filter_path=index_templates.name,index_templates.index_template.index_patterns,index_templates.index_template.priority'

# applying_to NAME: prints which of the templates on standard input has the highest priority of those with a pattern for a name.
applying_to() {
  awk -v name="$1" '
    function text(json) { return substr(json, 2, length(json) - 2) }
    {
      match($0, /\[[0-9]+]\./)
      at = substr($0, 1, RLENGTH + RSTART - 1)
      value = substr($0, index($0, "=") + 1)
    }
    /^[^=]*]\.name=/ { names[at] = text(value) }
    /\.priority=/ { priority[at] = value }
    /\.index_patterns\[/ {
      pattern = text(value)
      gsub(/[][.+$(){}]/, "[&]", pattern)
      gsub(/\^/, "\\^", pattern)
      gsub(/\*/, ".*", pattern)
      if (name ~ ("^" pattern "$")) matching[at]
    }
    END {
      for (at in matching) {
        if (found == "" || priority[at] + 0 > most) { found = names[at]; most = priority[at] + 0 }
      }
      print found
    }'
}

# simulate_components NAMES: simulates a template that has nothing of its own. The names are a JSON list.
simulate_components() {
  {
    probe '"index_patterns": ["groundwork-probe"], "priority"'
    echo "\"composed_of\": $1 }"
  } >"$request"
  simulate '' "$request"
}

# without_components NAMES: writes what a simulated template has of its own to $own: a component that changes does not change it.
without_components() {
  cp "$simulated" "$own"
  case $1 in '' | '[]') return 0 ;; esac
  simulate_components "$1" || return
  # What neither has is an empty object.
  grep -v -x -F -f "$simulated" "$own" | grep -v '^template\.[a-z]*={ }$' >"$simulated.own"
  cp "$simulated.own" "$own"
}

# echo_json FILE: writes the JSON in a file as the server prints it, as lines, to $echoed. The server reads it as the `_meta` of a mapping.
echo_json() {
  {
    probe '"index_patterns": ["groundwork-probe"], "priority"'
    echo '"template": { "mappings": { "_meta":'
    cat "$1"
    echo '} } }'
  } >"$request"
  http POST '/_index_template/_simulate?pretty&filter_path=template.mappings._meta' "$request" || return
  accepted
  flatten <"$body" | sed -n 's/^template\.mappings\._meta\.//p' >"$echoed"
}

# normalized: mimics what the server adds and converts outside `template`, and removes the fingerprint, and a field that is empty without
# it.
normalized() {
  sed 's/^data_stream={ }$/data_stream.timestamp_field.name="@timestamp"/
    s/^priority="\(.*\)"$/priority=\1/; s/^version="\(.*\)"$/version=\1/
    /^_meta\.fingerprint=/d; /^_meta={ }$/d
    /^description=/s/ \{0,1\}\[fingerprint [@A-Za-z0-9]*]"$/"/; /^description=""$/d'
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
