# shellcheck shell=sh
# Shared by all sidecars: structured log, retry with exponential backoff, exit. POSIX sh for dash, busybox ash and bash. Sourced by
# supervise.sh and the scripts that it runs.

set -u
export LC_ALL=C

# Exit codes, after sysexits.h.
# shellcheck disable=SC2034
{
  EX_DATAERR=65     # the server rejects the declaration
  EX_UNAVAILABLE=69 # the target is not ready before the deadline
  EX_CANTCREAT=73   # exists and differs
  EX_TEMPFAIL=75    # in scripts only: not yet, retry
  EX_NOPERM=77      # not authorized
  EX_CONFIG=78      # the sidecar is misconfigured
  EX_TERMINATED=143 # 128 + SIGTERM
}

# now_ms: sets $NOW_MS to the milliseconds of a monotonic clock.
now_ms() {
  read -r uptime _ </proc/uptime
  NOW_MS=$((${uptime%.*} * 1000 + (1${uptime#*.} - 100) * 10))
}

# json_string TEXT: sets $JSON to the text as a JSON string.
json_string() {
  case $1 in
    *[\\\"[:cntrl:]]*) JSON="\"$(printf '%s' "$1" | tr '\n\r\t' '   ' | tr -d '\000-\037\177' | sed 's/[\\"]/\\&/g')\"" ;;
    *) JSON="\"$1\"" ;;
  esac
}

# log LEVEL EVENT [KEY VALUE]...: prints one JSON object per line. A key with # takes a number, one with @ a list of words.
log() {
  line="{\"ts\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"level\":\"$1\",\"sidecar\":\"$GROUNDWORK_SIDECAR\",\"event\":\"$2\""
  shift 2
  while [ $# -ge 2 ]; do
    case $1 in
      '#'*) line="$line,\"${1#?}\":$2" ;;
      '@'*)
        items=
        for item in $2; do
          json_string "$item"
          items="$items${items:+,}$JSON"
        done
        line="$line,\"${1#?}\":[$items]"
        ;;
      *)
        json_string "$2"
        line="$line,\"$1\":$JSON"
        ;;
    esac
    shift 2
  done
  printf '%s}\n' "$line"
}

# record WHAT [TEXT]: records a fact for the last line of the log. The facts are lines of a file, so that none is lost if the process
# dies.
record() {
  printf '%s\n' "$*" >>"$GROUNDWORK_RUN_DIR/record"
}

# fail CODE REASON: ends the sidecar.
fail() {
  record reason "$2"
  exit "$1"
}

# random_up_to MAX: sets $RANDOM_NUMBER to a random number from 0 to MAX. $RANDOM is not POSIX.
random_up_to() {
  RANDOM_NUMBER=$(($(od -An -N4 -tu4 /dev/urandom) % ($1 + 1)))
}

awaited=

# await COMMAND...: runs a command that a signal can interrupt. A shell handles signals only when no command runs in the foreground.
await() {
  "$@" &
  awaited=$!
  await_status=0
  wait "$awaited" || await_status=$?
  awaited=
  return "$await_status"
}

# terminate: handles SIGTERM, with `trap terminate TERM`. Waits for the command that runs, which may write to $GROUNDWORK_RUN_DIR.
terminate() {
  if [ -n "$awaited" ]; then
    kill "$awaited" 2>/dev/null
    # Again, since a process that is not the command yet can lose a signal.
    { sleep 1 && kill "$awaited"; } >/dev/null 2>&1 &
    wait "$awaited" 2>/dev/null
  fi
  exit "$EX_TERMINATED"
}

# pause MILLISECONDS
pause() {
  await sleep "$(($1 / 1000)).$(printf '%03d' $(($1 % 1000)))"
}

remaining_ms() {
  now_ms
  REMAINING_MS=$((DEADLINE_AT_MS - NOW_MS))
}

# retry WHAT COMMAND...: runs the command until it succeeds. Exit code 75 means "not yet", with the cause in $REASON; every other code is
# final and returned. Waits a random part ("full jitter", so that sidecars that failed together do not retry together) of a ceiling that
# doubles up to a cap. Gives up at the deadline, which starts with every command.
retry() {
  what=$1
  shift
  now_ms
  DEADLINE_AT_MS=$((NOW_MS + GROUNDWORK_DEADLINE_SECONDS * 1000))
  ceiling=$GROUNDWORK_RETRY_INITIAL_MS
  attempt=1
  while :; do
    status=0
    REASON=
    "$@" || status=$?
    [ "$status" -eq "$EX_TEMPFAIL" ] || return "$status"
    remaining_ms
    if [ "$REMAINING_MS" -le 0 ]; then
      attempts="$attempt attempts"
      [ "$attempt" -gt 1 ] || attempts="1 attempt"
      fail "$EX_UNAVAILABLE" "$what: timed out after ${GROUNDWORK_DEADLINE_SECONDS}s and $attempts: $REASON"
    fi
    delay=$ceiling
    if [ "$GROUNDWORK_RETRY_JITTER" = full ]; then
      random_up_to "$ceiling"
      delay=$RANDOM_NUMBER
    fi
    [ "$delay" -le "$REMAINING_MS" ] || delay=$REMAINING_MS
    log warn retry what "$what" '#attempt' "$attempt" '#delay_ms' "$delay" '#ceiling_ms' "$ceiling" \
      '#remaining_ms' "$REMAINING_MS" reason "$REASON"
    record retry
    pause "$delay"
    attempt=$((attempt + 1))
    ceiling=$((ceiling * 2))
    [ "$ceiling" -le "$GROUNDWORK_RETRY_MAX_MS" ] || ceiling=$GROUNDWORK_RETRY_MAX_MS
  done
}

# call_timeout_s MAX: sets $CALL_TIMEOUT_S to the timeout of a call in a retried command, at most MAX and not past the deadline.
call_timeout_s() {
  remaining_ms
  CALL_TIMEOUT_S=$(((REMAINING_MS + 999) / 1000))
  [ "$CALL_TIMEOUT_S" -ge 1 ] || CALL_TIMEOUT_S=1
  [ "$CALL_TIMEOUT_S" -le "$1" ] || CALL_TIMEOUT_S=$1
}

# drift RESOURCE FIELD DECLARED ACTUAL: logs a differing field.
drift() {
  log warn drift resource "$1" field "$2" declared "$3" actual "$4"
}

# change RESOURCE FIELD DECLARED ACTUAL: logs a field whose declaration changed, and which is set to it.
change() {
  log info change resource "$1" field "$2" declared "$3" actual "$4"
}

# settle OUTCOME RESOURCE: records that a resource is as declared. The outcome is created, unchanged or reconciled.
settle() {
  record "$1" "$2"
  log info "$1" resource "$2"
}

# conclude RESOURCE POLICY REASON: records that a resource still differs. The policy is its onDrift.
conclude() {
  if [ "$2" = ignore ]; then
    record ignored "$1"
    log warn ignored resource "$1" reason "$3"
  else
    record drifted "$1"
    log error drifted resource "$1" reason "$3"
  fi
}

# finish: ends the run, with exit code 73 if a resource differs.
finish() {
  drifted=$(sed -n 's/^drifted //p' "$GROUNDWORK_RUN_DIR/record" 2>/dev/null | sort -u | tr '\n' ' ')
  [ -z "$drifted" ] ||
    fail "$EX_CANTCREAT" "drift from the declaration: ${drifted% }"
  record reason 'done'
  exit 0
}
