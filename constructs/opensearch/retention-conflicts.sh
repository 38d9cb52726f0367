# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # os-init.sh and resources.sh set and use the variables
# What os-init does if OpenSearch refuses a policy because of another one, with which it compares each that is written. Uses rest.sh,
# resources.sh and retention.sh.

# The resources that were written before their turn.
early=$GROUNDWORK_RUN_DIR/early
: >"$early"

# The policies that have no templates until their turn.
stripped=$GROUNDWORK_RUN_DIR/stripped
: >"$stripped"

# is_conflict: whether OpenSearch refused the policy because of a stored one.
is_conflict() {
  [ "$STATUS" = 400 ] && grep -q 'matching existing policy templates' "$body"
}

# make_room: has the stored policies that conflict with the declared one become as they are declared. Ends the sidecar if one is not declared,
# or was edited.
make_room() {
  refusal="$what: OpenSearch rejects it: $(answer)"
  http GET "$ISM/policies?pretty&size=10000&filter_path=policies._id,policies.policy.ism_template" || return
  policy_answered
  flatten <"$body" | conflicting >"$GROUNDWORK_RUN_DIR/conflicting"
  [ -s "$GROUNDWORK_RUN_DIR/conflicting" ] || fail "$EX_DATAERR" "$refusal"
  while read -r other; do
    case " $GROUNDWORK_DECLARED " in
      *" retention-policy/$other "*) ;;
      *) fail "$EX_DATAERR" "$refusal. Policy $other has this priority and is not declared: keep its name, give $name another priority, or remove it as in docs/how-to/retention.md#remove-a-policy" ;;
    esac
    await write_early "$other" || exit
  done <"$GROUNDWORK_RUN_DIR/conflicting"
}

# write_early NAME: writes a declared policy before its turn, in a shell of its own, which has no traps yet. Without its templates if OpenSearch refuses it too, since
# two policies exchange them: its turn adds them.
write_early() {
  trap terminate TERM
  resource=retention-policy/$1
  wanted=$wanted.early actual=$actual.early
  locate "$resource"
  retry "$what" wanted || exit
  retry "$what" actual || exit
  # Something else removed it.
  [ "$STATUS" != 404 ] || return 0
  [ "$MARK" = "$(fingerprint "$actual")" ] || same "$wanted" "$actual" ||
    fail "$EX_DATAERR" "$refusal. Policy $name has this priority and was edited: change it back, or remove it as in docs/how-to/retention.md#remove-a-policy"
  report change "$resource" "$wanted" "$actual"
  echo "$resource" >>"$early"
  retry "$what" put '' || exit
  is_conflict || return 0
  sed 's/^  "ism_template": .*[^,]\(,\{0,1\}\)$/  "ism_template": null\1/' "$file.json" >"$GROUNDWORK_RUN_DIR/without-templates.json"
  file=$GROUNDWORK_RUN_DIR/without-templates
  retry "$what" wanted || exit
  # Before the request, whose answer may be lost.
  echo "$name" >>"$stripped"
  log warn stripped resource "$resource" reason "$(explain_stripped "$name")"
  retry "$what" put '' || exit
  policy_answered
}

# explain_stripped NAME: prints what it means that a policy has no templates.
explain_stripped() {
  echo "policy $1 has no ism_template until os-init has written it again, and OpenSearch attaches it to no new index"
}

# name_stripped: ends the reason of a failure with the policies whose turn did not come.
name_stripped() {
  code=$?
  [ "$code" != 0 ] || return 0
  left=
  while read -r each; do
    grep -q -x -F -e "reconciled retention-policy/$each" -e "unchanged retention-policy/$each" "$GROUNDWORK_RUN_DIR/record" ||
      left="$left. $(explain_stripped "$each"): run npm run up again once this is fixed"
  done <"$stripped"
  [ -z "$left" ] || record reason "$(sed -n 's/^reason //p' "$GROUNDWORK_RUN_DIR/record" | tail -n 1)$left"
  exit "$code"
}

# conflicting: turns the flattened policies on standard input into the names of those with which the declared one conflicts: a template has
# the same priority, and patterns that overlap.
conflicting() {
  awk -v name="$name" '
    function text(json) { return substr(json, 2, length(json) - 2) }
    # As OpenSearch compares patterns: a leading "-" is a character.
    function overlap(one, other) {
      if (one == "" || other == "") return (one other) ~ /^\**$/
      if (one ~ /^\*/) return overlap(substr(one, 2), other) || overlap(one, substr(other, 2))
      if (other ~ /^\*/) return overlap(one, substr(other, 2)) || overlap(substr(one, 2), other)
      return substr(one, 1, 1) == substr(other, 1, 1) && overlap(substr(one, 2), substr(other, 2))
    }
    match($0, /^policies\[[0-9]+]\._id=/) { id[substr($0, 1, RLENGTH - 5)] = text(substr($0, RLENGTH + 1)) }
    match($0, /ism_template\[[0-9]+]\./) {
      template = substr($0, 1, RSTART + RLENGTH - 2)
      field = substr($0, RSTART + RLENGTH)
      value = field
      sub(/^[^=]*=/, "", value)
      if (field ~ /^priority=/) {
        gsub(/"/, "", value)
        priority[template] = value + 0
      }
      if (field !~ /^index_patterns/) next
      if (FILENAME == ARGV[1]) {
        mine[++count] = text(value)
        of[count] = template
      } else {
        theirs[++others] = text(value)
        owner[others] = template
      }
    }
    END {
      for (i = 1; i <= count; i++)
        for (j = 1; j <= others; j++) {
          policy = owner[j]
          sub(/\.policy\..*/, "", policy)
          if (id[policy] == name || id[policy] in found) continue
          if (priority[of[i]] + 0 != priority[owner[j]] + 0 || !overlap(mine[i], theirs[j])) continue
          found[id[policy]]
          print id[policy]
        }
    }
  ' "$wanted" -
}
