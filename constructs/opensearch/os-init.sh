#!/bin/sh
# Provisions what GROUNDWORK_DECLARED names, in that order: creates what is missing, applies changed declarations, reports drift. Uses
# rest.sh, resources.sh, retention.sh and retention-conflicts.sh.
# DECLARED_DIR  a folder for each kind, such as index-templates; in it, for each resource, NAME.json (the body, one line per field, with
#               @FINGERPRINT@ for its fingerprint), NAME.on-drift and, for a pipeline with tests, NAME.tests, and for a policy
#               NAME.managed-indices

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"
# shellcheck source=rest.sh
. "$here/rest.sh"
# shellcheck source=resources.sh
. "$here/resources.sh"
# shellcheck source=retention.sh
. "$here/retention.sh"
# shellcheck source=retention-conflicts.sh
. "$here/retention-conflicts.sh"

trap terminate TERM
trap name_stripped EXIT

# accepted: ends the sidecar unless the last request for the resource succeeded.
accepted() {
  case $STATUS in
    2??) ;;
    *)
      # The server generates a name for a simulated template.
      reason=$(answer | sed "s/simulate_template_[a-z0-9_-]\{22\}/$name/g")
      fail "$EX_DATAERR" "$what: OpenSearch rejects it: $reason: HTTP $STATUS"
      ;;
  esac
}

# create: sends the declaration, unless something else created the resource first. OpenSearch has no request that only creates a pipeline.
# So looks again right before each attempt.
create() {
  case $kind in
    ingest-pipeline)
      http GET "$api?pretty" || return
      [ "$STATUS" = 404 ] || return 0
      put '' || return
      ;;
    # Its request only creates.
    retention-policy) put '' || return ;;
    *) put '&create=true' || return ;;
  esac
  case $STATUS in
    2??) outcome=created ;;
    *) grep -q 'already exists' "$body" || accepted ;;
  esac
}

# replace: sends the declaration of a resource that exists.
replace() {
  retry "$what" put '' || exit
  # 409: something else changed the policy at the same time, which verify finds.
  [ "$kind $STATUS" = 'retention-policy 409' ] || accepted
}

# provision RESOURCE
provision() {
  resource=$1
  locate "$resource"
  read -r on_drift <"$file.on-drift"
  retry "$what" wanted || exit
  [ ! -e "$file.tests" ] || retry "$what" run_tests || exit
  retry "$what" actual || exit
  outcome=unchanged
  ! grep -q -x -F "$resource" "$early" || outcome=reconciled
  if [ "$STATUS" = 404 ]; then
    retry "$what" create || exit
    retry "$what" actual || exit
  fi
  if same "$wanted" "$actual"; then
    # Its own resource was edited to what is now declared: the old mark would make the next change look like an edit.
    if [ -n "$MARK" ] && [ "$MARK" != "$(fingerprint "$actual")" ]; then
      replace
    fi
  elif [ "$MARK" = "$(fingerprint "$actual")" ]; then
    report change "$resource" "$wanted" "$actual"
    replace
    outcome=reconciled
  else
    report drift "$resource" "$wanted" "$actual"
    reason="differs from its declaration, and onDrift is $on_drift"
    [ "$on_drift" != reconcile ] ||
      reason='not repaired: it was edited since os-init applied it, or os-init did not create it'
    conclude "$resource" "$on_drift" "$reason"
    return
  fi
  status=0
  retry "$what" verify || status=$?
  case $status in
    0)
      settle "$outcome" "$resource"
      [ "$kind" != retention-policy ] || update_managed
      ;;
    "$EX_CANTCREAT") conclude "$resource" "$on_drift" "$reason" ;;
    *) exit "$status" ;;
  esac
}

retry "OpenSearch with $OPENSEARCH_NODES nodes" cluster_ready || exit
log info ready '#nodes' "$OPENSEARCH_NODES"
for declared in $GROUNDWORK_DECLARED; do
  provision "$declared"
done
finish
