#!/bin/sh
# Provisions topics: creates what is absent, leaves what is there, reports what differs. Needs the Kafka CLI and awk.
# KAFKA_BOOTSTRAP_SERVERS  the brokers, separated by commas
# KAFKA_BROKERS            how many brokers have to be registered
# TOPICS_FILE              a line for each topic: name, partitions, replication factor, drift policy, key=value;key=value

here=$(dirname "$0")
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"

KAFKA_BIN=${KAFKA_BIN:-/opt/kafka/bin}
# A call is one short JVM: small, no optimising compiler, no verification of the image's own classes.
export KAFKA_HEAP_OPTS='-Xmx48m'
export KAFKA_JVM_PERFORMANCE_OPTS='-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote -Xlog:disable -Xlog:all=error:stderr'
# An archive of the loaded classes halves a call, but making it takes as long as three, and as much memory as two: for many
# creates only, and by one call alone.
ARCHIVE_FROM=8
# Creates run side by side: two, since a JVM takes about a quarter of the sidecar's memory.
WORKERS=2
EX_EXISTS=17 # inside this script only: the topic is there already

# The distribution's scripts would make a folder for logs beside themselves.
export LOG_DIR="$GROUNDWORK_RUN_DIR"

trap terminate TERM

# The client's own limits, below the one that call_timeout_s puts on the whole call.
printf '%s\n' 'request.timeout.ms=5000' 'default.api.timeout.ms=10000' >"$GROUNDWORK_RUN_DIR/client.properties"

# kafka TOOL ARGUMENT...: the output is in the file $out. 0, EX_TEMPFAIL, EX_EXISTS, or it ends the sidecar.
kafka() {
  tool=$1
  shift
  call_timeout_s 15
  cli_status=0
  await timeout "$CALL_TIMEOUT_S" "$KAFKA_BIN/$tool.sh" "$@" --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS" \
    --command-config "$GROUNDWORK_RUN_DIR/client.properties" >"$out" 2>&1 || cli_status=$?
  [ "$cli_status" -ne 0 ] || return 0
  REASON="$tool: $(complaint)"
  case $cli_status in
    # What GNU's and busybox's timeout return.
    124 | 143)
      REASON="$tool: no answer within ${CALL_TIMEOUT_S}s"
      return "$EX_TEMPFAIL"
      ;;
    126 | 127) fail "$EX_CONFIG" "$REASON" ;;
    137) fail 137 "$tool was killed by signal 9" ;;
  esac
  case $(cat "$out") in
    *AuthorizationException* | *AuthenticationException* | *'uthentication failed'* | *'ot authorized'*)
      fail "$EX_NOPERM" "$REASON"
      ;;
    *'already exists'*) return "$EX_EXISTS" ;;
    # Brokers of the quorum may be gone again.
    *TimeoutException* | *'imed out'* | *'could not be established'* | *'cannot be reached because only'* | \
      *'larger than available brokers'* | *'not the correct controller'* | *'isconnected'* | *'No resolvable bootstrap'*)
      return "$EX_TEMPFAIL"
      ;;
    *'unrecognized arguments'* | *'not a recognized option'*) fail "$EX_CONFIG" "this Kafka CLI is too old or too new: $REASON" ;;
    *'Error while executing'*) fail "$EX_DATAERR" "Kafka rejects it: $REASON" ;;
    *) return "$EX_TEMPFAIL" ;;
  esac
}

# The line of the output that says most.
complaint() {
  { grep -E 'Error while|Caused by|Exception|WARN|ERROR' "$out" || grep -v '^[[:space:]]*at ' "$out"; } | tail -n 1 | cut -c1-400
}

quorum() {
  kafka kafka-cluster list-endpoints || return
  registered=$(grep -c '^[0-9].*[[:space:]]unfenced[[:space:]]' "$out")
  [ "$registered" -lt "$KAFKA_BROKERS" ] || return 0
  REASON="$registered of $KAFKA_BROKERS brokers are registered and unfenced"
  return "$EX_TEMPFAIL"
}

# plan: one call describes every topic; the comparison is in the file $plan, and in $in_sync how many brokers hold a replica that
# is in sync.
plan() {
  kafka kafka-topics --describe || return
  in_sync=$(sed -n 's/.*Isr: \([0-9,]*\).*/\1/p' "$out" | tr ',' '\n' | sort -u | grep -c .)
  awk -f "$here/topic-plan.awk" "$TOPICS_FILE" "$out" >"$plan"
  # Rare: a config at the broker's default. Ask for what is in effect.
  sed -n 's/^unshown //p' "$plan" | cut -d' ' -f1 | sort -u >"$GROUNDWORK_RUN_DIR/unshown"
  while read -r topic <&3; do
    kafka kafka-configs --entity-type topics --entity-name "$topic" --describe --all || return
    awk -v topic="$topic" '$1 == "unshown" && $2 == topic { print $3, $4 }' "$plan" >"$GROUNDWORK_RUN_DIR/keys"
    while read -r key declared; do
      actual=$(sed 's/^ *//; s/ sensitive=.*//' "$out" | awk -v key="$key" 'index($0, key "=") == 1 { print substr($0, length(key) + 2) }')
      [ "$actual" = "$declared" ] || echo "differs $topic $key $declared ${actual:-\"\"} config" >>"$plan"
    done <"$GROUNDWORK_RUN_DIR/keys"
    awk -v topic="$topic" '$1 == "differs" && $2 == topic { found = 1 } END { exit !found }' "$plan" || echo "equal $topic" >>"$plan"
  done 3<"$GROUNDWORK_RUN_DIR/unshown"
}

# create TOPIC PARTITIONS REPLICATION-FACTOR KEY=VALUE;...
create() {
  set -- "$1" "$2" "$3" "$(printf '%s' "$4" | sed 's/;/ --config /g')"
  # shellcheck disable=SC2086 # the configs are words: validated at synth to have no white space
  kafka kafka-topics --create --topic "$1" --partitions "$2" --replication-factor "$3" ${4:+--config $4}
}

# create_share N: every topic to create whose turn it is.
create_share() {
  out=$GROUNDWORK_RUN_DIR/out.$1
  turn=0
  while read -r topic partitions replication_factor _ configs <&3; do
    turn=$(((turn + 1) % WORKERS))
    [ "$turn" -eq "$1" ] || continue
    status=0
    retry "creating topic $topic" create "$topic" "$partitions" "$replication_factor" "${configs-}" || status=$?
    case $status in
      0)
        settle created "$topic"
        ;;
      # Another sidecar was quicker: compared below like any other.
      "$EX_EXISTS") ;;
      *) exit "$status" ;;
    esac
  done 3<"$GROUNDWORK_RUN_DIR/absent"
}

make_archive() {
  without=$KAFKA_JVM_PERFORMANCE_OPTS
  KAFKA_JVM_PERFORMANCE_OPTS="$without -XX:ArchiveClassesAtExit=$GROUNDWORK_RUN_DIR/kafka.jsa"
  retry "listing the topics" kafka kafka-topics --list || exit
  KAFKA_JVM_PERFORMANCE_OPTS="$without -XX:SharedArchiveFile=$GROUNDWORK_RUN_DIR/kafka.jsa"
}

create_absent() {
  awk 'FNR == NR { if ($1 == "create") absent[$2]; next } $1 in absent' "$plan" "$TOPICS_FILE" >"$GROUNDWORK_RUN_DIR/absent"
  [ -s "$GROUNDWORK_RUN_DIR/absent" ] || return 0
  [ "$(wc -l <"$GROUNDWORK_RUN_DIR/absent")" -lt "$ARCHIVE_FROM" ] || make_archive
  workers=
  n=0
  while [ "$n" -lt "$WORKERS" ]; do
    create_share "$n" &
    workers="$workers $!"
    n=$((n + 1))
  done
  worst=0
  for worker in $workers; do
    status=0
    wait "$worker" || status=$?
    [ "$status" -eq 0 ] || worst=$status
  done
  [ "$worst" -eq 0 ] || exit "$worst"
  changed=yes
}

policy_of() {
  awk -v topic="$1" '$1 == topic { print $4 }' "$TOPICS_FILE"
}

# repair TOPIC: what can be repaired by adding.
repair() {
  declared=$(awk -v topic="$1" '$1 == "differs" && $2 == topic && $6 == "partitions" { print $4 }' "$plan")
  if [ -n "$declared" ]; then
    retry "adding partitions to topic $1" kafka kafka-topics --alter --topic "$1" --partitions "$declared" || return
  fi
  # In brackets, since a value may be a list.
  configs=$(awk -v topic="$1" '$1 == "differs" && $2 == topic && $6 == "config" { printf "%s%s=[%s]", comma, $3, $4; comma = "," }' "$plan")
  if [ -n "$configs" ]; then
    retry "setting configs of topic $1" kafka kafka-configs --entity-type topics --entity-name "$1" --alter --add-config "$configs" || return
  fi
}

# report TOPIC: each field that differs.
report() {
  while read -r kind name field declared actual _; do
    [ "$kind $name" != "differs $1" ] || drift "$1" "$field" "$declared" "$actual"
  done <"$plan"
}

# topics KIND: the names of one kind of the plan.
topics() {
  awk -v kind="$1" '$1 == kind { print $2 }' "$plan" | sort -u
}

# listed TOPIC FILE
listed() {
  grep -qxF "$1" "$2"
}

# Exit 0 means that what was declared holds, so every change is looked at again.
all_present() {
  plan || return
  REASON="not visible yet: $(topics create | tr '\n' ' ')"
  [ -z "$(topics create)" ] || return "$EX_TEMPFAIL"
}

out=$GROUNDWORK_RUN_DIR/out
plan=$GROUNDWORK_RUN_DIR/plan
changed=

differing=$GROUNDWORK_RUN_DIR/differing
repaired=$GROUNDWORK_RUN_DIR/repaired
: >"$repaired"

retry "describing the topics" plan || exit
# Replicas in sync on every broker are a quorum seen: where topics are there already, one call is all that it takes.
if [ "$in_sync" -lt "$KAFKA_BROKERS" ]; then
  waited=$(recorded retry)
  retry "Kafka with $KAFKA_BROKERS brokers" quorum || exit
  # What was described before a wait is old.
  [ "$(recorded retry)" -eq "$waited" ] || retry "describing the topics" plan || exit
fi
log info ready '#brokers' "$KAFKA_BROKERS"
for topic in $(topics equal); do
  settle unchanged "$topic"
done
topics differs >"$differing"
create_absent

while read -r topic <&4; do
  report "$topic"
  if [ "$(policy_of "$topic")" = reconcile ]; then
    repair "$topic" || exit
    echo "$topic" >>"$repaired"
    changed=yes
  else
    conclude "$topic" "$(policy_of "$topic")" "it differs, and onDrift is $(policy_of "$topic")"
  fi
done 4<"$differing"

if [ -n "$changed" ]; then
  retry "verifying the topics" all_present || exit
  for topic in $(topics differs); do
    if listed "$topic" "$repaired"; then
      conclude "$topic" reconcile 'not repaired: partitions are never removed, nor replicas moved'
    elif ! listed "$topic" "$differing"; then
      report "$topic"
      conclude "$topic" "$(policy_of "$topic")" 'another run created it in the meantime, and it differs'
    fi
  done
  for topic in $(topics equal); do
    if listed "$topic" "$repaired"; then
      settle reconciled "$topic"
    elif ! listed "created $topic" "$GROUNDWORK_RUN_DIR/record" && ! listed "unchanged $topic" "$GROUNDWORK_RUN_DIR/record"; then
      # Another run created it in the meantime.
      settle unchanged "$topic"
    fi
  done
fi
finish
