# shellcheck shell=sh
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

# locate RESOURCE: sets its $kind, $name and $api, the $file of its declaration without the suffix, and $what it is in messages.
locate() {
  name=${1#*/}
  case $1 in
    component-template/*) kind=component-template what="component template $name" api=/_component_template/$name ;;
    *) kind=index-template what="index template $name" api=/_index_template/$name ;;
  esac
  file=$DECLARED_DIR/${kind}s/$name
}

# wanted: writes the declaration as the server reads it, as lines, to $wanted. The server normalizes both sides, so spelling and order do
# not matter.
wanted() {
  {
    probe '"priority"'
    # A component template has no patterns of its own.
    [ "$kind" = index-template ] || echo '"index_patterns": ["groundwork-probe"],'
    sed '1d; /^  "priority": /d' "$file.json"
  } >"$request"
  simulate '' "$request" || return
  cp "$simulated" "$composed"
  without_components "$(sed -n 's/^  "composed_of": \(.*\),$/\1/p' "$file.json")" || return
  # A simulation covers only `template`. The server reads the other fields as the `_meta` of a mapping.
  {
    probe '"index_patterns": ["groundwork-probe"], "priority"'
    echo '"template": { "mappings": { "_meta":'
    sed '/^  "template": /d' "$file.json"
    echo '} } }'
  } >"$request"
  http POST '/_index_template/_simulate?pretty&filter_path=template.mappings._meta' "$request" || return
  accepted
  {
    cat "$own"
    flatten <"$body" | sed -n 's/^template\.mappings\._meta\.//p' | normalized
  } | sort >"$wanted"
}

# actual: writes the cluster's resource to $actual in the same form, its fingerprint to $MARK. STATUS is 404 if it does not exist.
actual() {
  MARK=
  http GET "$api?pretty&filter_path=-*.*.template" || return
  [ "$STATUS" != 404 ] || return 0
  accepted
  flatten <"$body" | sed -n 's/^[a-z]*_templates\[0\]\.[a-z]*_template\.//p' >"$GROUNDWORK_RUN_DIR/meta"
  MARK=$(sed -n 's/^_meta\.fingerprint="\(.*\)"$/\1/p' "$GROUNDWORK_RUN_DIR/meta")
  if [ "$kind" = component-template ]; then
    simulate_components "[\"$name\"]" || return
    cp "$simulated" "$own"
  else
    simulate "/$name" || return
    without_components "[$(sed -n 's/^composed_of\[[0-9]*]=//p' "$GROUNDWORK_RUN_DIR/meta" | tr '\n' ',' | sed 's/,$//')]" || return
  fi
  { cat "$own" && normalized <"$GROUNDWORK_RUN_DIR/meta"; } | sort >"$actual"
}

# put QUERY: sends the declaration with a fingerprint, by which a later run recognizes its own resource.
put() {
  sed "/^  \"_meta\": /s/\"fingerprint\":\"@FINGERPRINT@\"/\"fingerprint\":\"$(fingerprint "$wanted")\"/" "$file.json" >"$request"
  http PUT "$api?pretty$1" "$request"
}

# verify: checks what is in effect. Returns 73, with $reason, if it is not the declaration.
verify() {
  if [ "$kind" = component-template ]; then
    [ "$outcome" != unchanged ] || return 0
    actual || return
    ! same "$wanted" "$actual" || return 0
    report drift "$resource" "$wanted" "$actual"
    reason='something else changed it at the same time'
  else
    # A new matching index gets the declaration, not a template with a higher priority.
    index=$(sed -n 's/^index_patterns\[0\]="\(.*\)"$/\1/p' "$wanted" | sed 's/\*/groundwork-probe/g')
    http POST "/_index_template/_simulate_index/$(url_encode "$index")?pretty&filter_path=template" || return
    accepted
    flatten <"$body" | aliases_of "$index" >"$actual"
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

# normalized: mimics what the server adds and converts outside `template`, and removes the fingerprint, and a _meta that is empty without
# it.
normalized() {
  sed 's/^data_stream={ }$/data_stream.timestamp_field.name="@timestamp"/
    s/^priority="\(.*\)"$/priority=\1/; s/^version="\(.*\)"$/version=\1/
    /^_meta\.fingerprint=/d; /^_meta={ }$/d'
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
