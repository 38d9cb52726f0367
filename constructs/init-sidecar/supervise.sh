#!/bin/sh
# supervise.sh SCRIPT: runs a sidecar's script in a child process, so that the log has a last line with the exit code whatever
# becomes of the child.

here=$(dirname "$0")
# shellcheck source=lib.sh
. "$here/lib.sh"

require_number() {
  eval "value=\${$1-}"
  # shellcheck disable=SC2154
  case $value in
    '' | *[!0-9]*) misconfigured="$1 is \"$value\": it has to be a whole number" ;;
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
  *) misconfigured="GROUNDWORK_RETRY_JITTER is \"${GROUNDWORK_RETRY_JITTER-}\": it has to be full or none" ;;
esac

if [ -n "$misconfigured" ]; then
  record reason "$misconfigured"
  code=$EX_CONFIG
else
  sh "$1" &
  child=$!
  # A signal ends the first wait before the child has ended.
  wait "$child"
  code=$?
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
  done
fi

reason=$(sed -n 's/^reason //p' "$GROUNDWORK_RUN_DIR/record" | tail -n 1)
if [ -n "$terminated" ]; then
  code=$EX_TERMINATED
  reason=terminated
elif [ "$code" -gt 128 ]; then
  reason=${reason:-"killed by signal $((code - 128))"}
fi
level=info
[ "$code" -eq 0 ] || level=error

now_ms
log "$level" exit version "${GROUNDWORK_VERSION:-unknown}" '#exit_code' "$code" reason "${reason:-"the script ended with $code and gave no reason"}" \
  '#attempts' $((1 + $(recorded retry))) '#duration_ms' $((NOW_MS - started)) \
  '#created' "$(recorded created)" '#unchanged' "$(recorded unchanged)" \
  '#reconciled' "$(recorded reconciled)" '#drifted' "$(recorded drifted)" '#ignored' "$(recorded ignored)"
rm -rf "$GROUNDWORK_RUN_DIR"
exit "$code"
