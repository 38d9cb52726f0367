#!/bin/sh
# supervise.sh SCRIPT: runs a sidecar's script in a child process, so that the log always ends with a line that has the exit code.

here=${0%/*}
# shellcheck source=lib.sh
. "$here/lib.sh"

require_number() {
  eval "value=\${$1-}"
  # shellcheck disable=SC2154
  case $value in
    '' | *[!0-9]*) misconfigured="$1 is \"$value\": it must be a whole number" ;;
  esac
}

GROUNDWORK_SIDECAR=${GROUNDWORK_SIDECAR:-sidecar}
GROUNDWORK_RUN_DIR=$(mktemp -d "${GROUNDWORK_RUN_DIR:-/tmp}/$GROUNDWORK_SIDECAR.XXXXXX") || exit "$EX_CONFIG"
export GROUNDWORK_SIDECAR GROUNDWORK_RUN_DIR
: >"$GROUNDWORK_RUN_DIR/record"
child=
terminated=

on_terminate() {
  terminated=yes
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap on_terminate TERM INT

now_ms
started=$NOW_MS
log info start version "${GROUNDWORK_VERSION:-unknown}" '@declared' "${GROUNDWORK_DECLARED:-}"

misconfigured=
for name in GROUNDWORK_RETRY_INITIAL_MS GROUNDWORK_RETRY_MAX_MS GROUNDWORK_DEADLINE_SECONDS; do
  require_number "$name"
done
case ${GROUNDWORK_RETRY_JITTER-} in
  full | none) ;;
  *) misconfigured="GROUNDWORK_RETRY_JITTER is \"${GROUNDWORK_RETRY_JITTER-}\": it must be full or none" ;;
esac

if [ -n "$misconfigured" ]; then
  record reason "$misconfigured"
  code=$EX_CONFIG
else
  sh "$1" &
  child=$!
  # A signal interrupts the wait before the child has exited.
  wait "$child"
  code=$?
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
  done
fi

reason=
retry=0 created=0 unchanged=0 reconciled=0 revoked=0 drifted=0 ignored=0
while read -r fact text; do
  case $fact in
    reason) reason=$text ;;
    retry | created | unchanged | reconciled | revoked | drifted | ignored) eval "$fact=\$(($fact + 1))" ;;
  esac
done <"$GROUNDWORK_RUN_DIR/record"
if [ -n "$terminated" ]; then
  code=$EX_TERMINATED
  reason=terminated
elif [ "$code" -gt 128 ]; then
  reason=${reason:-"killed by signal $((code - 128))"}
fi
level=info
[ "$code" -eq 0 ] || level=error

now_ms
log "$level" exit version "${GROUNDWORK_VERSION:-unknown}" '#exit_code' "$code" reason "${reason:-"the script exited with $code and gave no reason"}" \
  '#attempts' $((1 + retry)) '#duration_ms' $((NOW_MS - started)) \
  '#created' "$created" '#unchanged' "$unchanged" '#reconciled' "$reconciled" '#revoked' "$revoked" '#drifted' "$drifted" '#ignored' "$ignored"
rm -rf "$GROUNDWORK_RUN_DIR"
exit "$code"
