# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # os-init.sh and resources.sh set and use the variables
# What only retention policies have: policies of OpenSearch's index management plugin. Uses rest.sh, resources.sh and
# retention-conflicts.sh.

ISM=/_plugins/_ism

# policy_lines: turns the lines of a policy on standard input into lines without what the server adds: its own fields, the fingerprint, and
# defaults. A policy without templates has the null that the server prints.
policy_lines() {
  sed '/^\(policy_id\|last_updated_time\|schema_version\)=/d; /^error_notification=null$/d
    /^ism_template\[[0-9]*]\.last_updated_time=/d; /^ism_template\[[0-9]*]\.priority=0$/d
    /^states\[[0-9]*]\.actions\[[0-9]*]\.retry\.\(count=3\|backoff="exponential"\|delay="1m"\)$/d
    /^states\[[0-9]*]\.actions\[[0-9]*]\.rollover\.copy_alias=false$/d
    /=\[ ]$/d
    /^description=/s/ \{0,1\}\[fingerprint [@A-Za-z0-9 ]*]"$/"/; /^description=""$/d' |
    awk '/^ism_template/ { found = 1 } { print } END { if (!found) print "ism_template=null" }' | sort
}

# policy_answered: ends the sidecar unless the last request for a policy succeeded.
policy_answered() {
  [ "$STATUS" != 400 ] || ! grep -q 'no handler found for uri' "$body" ||
    fail "$EX_DATAERR" "$what: OpenSearch has no index management plugin, which the official image has: use an image with the plugin, or set openSearch.indexManagement to false in the environment, which leaves retention policies out"
  accepted
}

# read_policy PREFIX: writes the policy in the last response to $actual, and its version to $SEQ_NO and $PRIMARY_TERM.
read_policy() {
  flatten <"$body" >"$GROUNDWORK_RUN_DIR/policy"
  # The server prints the filter of an alias on one line, which flatten does not read.
  if grep -q '^ *"filter":{' "$body"; then
    cp "$body" "$GROUNDWORK_RUN_DIR/rest"
    echo_json "$GROUNDWORK_RUN_DIR/rest" || return
    cp "$echoed" "$GROUNDWORK_RUN_DIR/policy"
  fi
  sed -n "s/^$1//p" "$GROUNDWORK_RUN_DIR/policy" | policy_lines >"$actual"
  SEQ_NO=$(sed -n 's/^_seq_no=//p' "$GROUNDWORK_RUN_DIR/policy")
  PRIMARY_TERM=$(sed -n 's/^_primary_term=//p' "$GROUNDWORK_RUN_DIR/policy")
}

# actual_policy: writes the cluster's policy to $actual, its fingerprint to $MARK and its version to $SEQ_NO and $PRIMARY_TERM. A policy
# that is as it was applied, in the server's own spelling, is as declared then.
actual_policy() {
  MARK='' SEQ_NO='' PRIMARY_TERM=''
  http GET "$api?pretty" || return
  [ "$STATUS" != 404 ] || return 0
  policy_answered
  read_policy 'policy\.' || return
  mark=$(sed -n 's/^policy\.description=".*\[fingerprint \([0-9a-f ]*\)]"$/\1/p' "$GROUNDWORK_RUN_DIR/policy")
  MARK=${mark%% *}
  case $mark in *' '*) ;; *) return 0 ;; esac
  found=$(fingerprint "$actual")
  [ "${mark#* }" = "$found" ] || return 0
  if [ "$MARK" = "$(fingerprint "$wanted")" ]; then
    cp "$wanted" "$actual"
  else
    MARK=$found
  fi
}

# put_policy: sends the declaration, with a fingerprint by which a later run recognizes its own policy. Creates the policy, or replaces the
# version that was read last. STATUS is 409 if something else was faster.
put_policy() {
  send_policy "$(fingerprint "$wanted")" || return
  if is_conflict; then
    # Written before its turn: write_early knows what to do.
    [ "${wanted%.early}" = "$wanted" ] || return 0
    make_room || return
    send_policy "$(fingerprint "$wanted")" || return
  fi
  case $STATUS in 2??) ;; 409) return 0 ;; *) policy_answered ;; esac
  read_policy 'policy\.policy\.' || return
  ! same "$wanted" "$actual" || return 0
  # The server spells it in another way, or adds a default: remembers that too, unless something else changes the policy at the same time.
  send_policy "$(fingerprint "$wanted") $(fingerprint "$actual")" || return
  [ "$STATUS" != 409 ] || STATUS=200
}

# send_policy MARK
send_policy() {
  {
    echo '{ "policy":'
    sed "/^  \"description\": /s/\[fingerprint @FINGERPRINT@]\"\(,\{0,1\}\)$/[fingerprint $1]\"\1/" "$file.json"
    echo '}'
  } >"$request"
  status=0
  http PUT "$api?pretty${SEQ_NO:+&if_seq_no=$SEQ_NO&if_primary_term=$PRIMARY_TERM}" "$request" || status=$?
  # So the plugin answers to some policies that it cannot parse, at every attempt.
  [ "$STATUS" != 500 ] || ! grep -q '"type" : "\(null_pointer\|illegal_state\)_exception"' "$body" || accepted
  return "$status"
}

# find_shadow: returns 73, with $reason, if a policy with a higher priority is attached to new indices in place of the declared one.
find_shadow() {
  http GET "$ISM/policies?pretty&size=10000&filter_path=policies._id,policies.policy.ism_template" || return
  policy_answered
  shadow=$(flatten <"$body" | awk -v name="$name" '
    function text(json) { return substr(json, 2, length(json) - 2) }
    # Sets the template that a line is about, and the rest of its path. Returns whether it is about one.
    function is_template(line) {
      if (!match(line, /ism_template\[[0-9]+]\./)) return 0
      template = substr(line, 1, RSTART + RLENGTH - 2)
      field = substr(line, RSTART + RLENGTH)
      value = field
      sub(/=.*/, "", field)
      sub(/^[^=]*=/, "", value)
      return 1
    }
    function matches(name, pattern) {
      gsub(/[][.+$(){}]/, "[&]", pattern)
      gsub(/\^/, "\\^", pattern)
      gsub(/\*/, ".*", pattern)
      return name ~ ("^" pattern "$")
    }
    # Whether a policy with these patterns, separated by spaces, is attached to an index. One that starts with "-" excludes indices.
    function is_attached(name, patterns,    i, count, each, found) {
      count = split(patterns, each, " ")
      for (i = 1; i <= count; i++) {
        if (each[i] !~ /^-/) found = found || matches(name, each[i])
        else if (matches(name, substr(each[i], 2))) return 0
      }
      return found
    }
    FILENAME == ARGV[1] {
      if (!is_template($0)) next
      if (field == "priority") own[template] = value
      if (field ~ /^index_patterns/) mine[template] = mine[template] " " text(value)
      next
    }
    match($0, /^policies\[[0-9]+]\._id=/) { id[substr($0, 1, RLENGTH - 5)] = text(substr($0, RLENGTH + 1)) }
    is_template($0) && field == "priority" { priority[template] = value }
    is_template($0) && field ~ /^index_patterns/ { patterns[template] = patterns[template] " " text(value) }
    END {
      for (template in mine) {
        count = split(mine[template], probes, " ")
        for (i = 1; i <= count; i++) {
          gsub(/\*/, "groundwork-probe", probes[i])
          if (!is_attached(probes[i], mine[template])) continue
          for (theirs in patterns) {
            policy = theirs
            sub(/\.policy.*/, "", policy)
            if (id[policy] == name || priority[theirs] + 0 <= own[template] + 0) continue
            if (is_attached(probes[i], patterns[theirs])) {
              print probes[i] " " id[policy]
              exit
            }
          }
        }
      }
    }
  ' "$wanted" -)
  [ -n "$shadow" ] || return 0
  reason="policy ${shadow#* } with a higher priority is attached to its indices"
  log warn shadowed resource "$resource" probe "${shadow%% *}" reason "$reason"
  return "$EX_CANTCREAT"
}

# update_managed: finds the indices that follow an earlier version of the policy, and says how many. Changes them if managed-indices says so.
update_managed() {
  printf '{ "filter": { "policy_id": "%s" } }\n' "$name" >"$request"
  retry "$what" http POST "$ISM/explain?pretty&size=10000&filter_path=*.policy_seq_no,*.policy_primary_term,*.policy_completed,*.state.name" "$request" || exit
  policy_answered
  managed=$GROUNDWORK_RUN_DIR/managed
  flatten <"$body" | outdated_indices >"$managed"
  completed=$(grep -c '^completed ' "$managed")
  [ "$completed" = 0 ] || log info managed_indices resource "$resource" '#completed' "$completed" reason "$(counted "$completed" has have) completed an earlier version, and OpenSearch does not run them again: see docs/how-to/retention.md"
  read -r managed_indices <"$file.managed-indices"
  if [ "$managed_indices" = keep ]; then
    outdated=$(grep -c -v '^completed ' "$managed")
    [ "$outdated" = 0 ] || log info managed_indices resource "$resource" '#outdated' "$outdated" reason "$(counted "$outdated" follows follow) an earlier version: set managedIndices to \"change\" to change this"
    return 0
  fi
  sed -n 's/^stateless \([^ ]*\) \(.*\)/\1 \2/p' "$managed" |
    while read -r index state; do
      log warn managed_indices resource "$resource" index "$index" reason "index $index does not change to this version: it is in state $state, which this version does not have"
    done
  sed -n 's/^outdated \([^ ]*\) .*/\1/p' "$managed" >"$GROUNDWORK_RUN_DIR/outdated"
  [ -s "$GROUNDWORK_RUN_DIR/outdated" ] || return 0
  changed=0 batch='' gone='' again=${1-}
  while read -r index; do
    batch=$batch${batch:+,}$(url_encode "$index")
    # A request line has at most 4096 bytes.
    [ "${#batch}" -lt 2500 ] || change_batch
  done <"$GROUNDWORK_RUN_DIR/outdated"
  [ -z "$batch" ] || change_batch
  if [ -n "$gone" ]; then
    update_managed again
    return
  fi
  log info managed_indices resource "$resource" '#changed' "$changed" reason "$(counted "$changed" changes change) to this version at the next run of index state management"
}

# outdated_indices: turns a flattened explanation on standard input into lines `KIND INDEX STATE` of the indices that follow an earlier
# version. KIND is `completed` if they run no further version, `stateless` if the current version would fail, else `outdated`.
outdated_indices() {
  awk -v current="$SEQ_NO $PRIMARY_TERM" '
    FILENAME == ARGV[1] {
      if (sub(/^states\[[0-9]+]\.name=/, "")) known[$0]
      next
    }
    match($0, /\.(policy_(seq_no|primary_term|completed)|state\.name)=/) {
      each = substr($0, 1, RSTART - 1)
      gsub(/^\["|"\]$/, "", each)
      found[each]
      of[each, substr($0, RSTART + 1, RLENGTH - 2)] = substr($0, RSTART + RLENGTH)
    }
    END {
      for (each in found) {
        version = of[each, "policy_seq_no"] " " of[each, "policy_primary_term"]
        # An index that was not run yet has none.
        if (version !~ /^[0-9]+ [0-9]+$/ || version == current) continue
        state = of[each, "state.name"]
        kind = "outdated"
        if (of[each, "policy_completed"] == "true") kind = "completed"
        else if (state != "" && !(state in known)) kind = "stateless"
        print kind " " each " " state
      }
    }
  ' "$wanted" - | sort
}

# change_batch: has the indices in $batch change to the current version of the policy, and adds their number to $changed.
change_batch() {
  printf '{ "policy_id": "%s" }\n' "$name" >"$request"
  retry "$what" http POST "$ISM/change_policy/$batch?pretty" "$request" || exit
  batch=
  # The server changes none of them if one was deleted meanwhile.
  if [ "$STATUS" = 404 ] && [ -z "$again" ]; then
    gone=1
    return
  fi
  policy_answered
  flatten <"$body" >"$GROUNDWORK_RUN_DIR/changes"
  changed=$((changed + $(sed -n 's/^updated_indices=//p' "$GROUNDWORK_RUN_DIR/changes")))
  # The name of an index, and why it does not change, on two lines.
  sed -n 's/^failed_indices\[[0-9]*]\.\(index_name\|reason\)="\(.*\)"$/\2/p' "$GROUNDWORK_RUN_DIR/changes" |
    while read -r index && read -r reason; do
      log warn managed_indices resource "$resource" index "$index" reason "index $index does not change to this version: $reason"
    done
}

# counted NUMBER VERB VERBS: prints the number with its noun and verb.
counted() {
  if [ "$1" = 1 ]; then echo "1 index $2"; else echo "$1 indices $3"; fi
}
