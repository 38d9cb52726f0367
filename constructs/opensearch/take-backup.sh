#!/bin/sh
# Takes one backup, verifies it, and removes those beyond BACKUP_KEEP. Uses rest.sh and backups.sh.
# BACKUP_KEEP       number of good backups of this cluster to keep
# BACKUP_TAKE_OVER  if not empty: also if the newest backup is of another cluster

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"
# shellcheck source=rest.sh
. "$here/rest.sh"
# shellcheck source=backups.sh
. "$here/backups.sh"

trap terminate TERM

# refuse_others: ends the script if another cluster writes to the repository, or if a backup is running.
refuse_others() {
  running=$(awk '$2 == "IN_PROGRESS" { print $4 }' "$backups" | tail -n 1)
  [ -z "$running" ] || fail "$EX_UNAVAILABLE" "backup $running is still running: wait until it ends"
  # shellcheck disable=SC2046 # the four fields of a line
  set -- $(tail -n 1 "$backups")
  if [ $# -eq 4 ] && [ "$3" != "$CLUSTER" ] && [ -z "${BACKUP_TAKE_OVER-}" ]; then
    fail "$EX_CANTCREAT" "the newest backup $4 is of another cluster ($3; this one is $CLUSTER), and one cluster at a time may write to a repository: if that cluster is gone, restore what you need and run npm run backup -- --take-over; if it still runs, give this environment another repository"
  fi
}

# The security plugin's index is restored by os-security, from the declaration.
create() {
  printf '{"indices":"*,-.opendistro_security*","include_global_state":false,"partial":false,"metadata":{"taken_by":"groundwork","environment":"%s","cluster":"%s"}}\n' \
    "$BACKUP_ENVIRONMENT" "$CLUSTER" >"$GROUNDWORK_RUN_DIR/request"
  http PUT "$snapshots/$name?pretty" "$GROUNDWORK_RUN_DIR/request"
}

said=

# look: sets $DONE, the number of shards that are in the repository, and logs it with its changes.
look() {
  retry "$what" http GET "$snapshots/$name/_status?pretty&filter_path=snapshots.shards_stats,snapshots.stats" || exit
  [ "$STATUS" != 404 ] || explain_loss
  answered "$what"
  DONE=$(value 'snapshots[0].shards_stats.done')
  shards=$(value 'snapshots[0].shards_stats.total')
  bytes=$(value 'snapshots[0].stats.incremental.size_in_bytes')
  if [ "$DONE/$shards/$bytes" != "$said" ]; then
    said=$DONE/$shards/$bytes
    log info progress backup "$name" '#shards_done' "${DONE:-0}" '#shards' "${shards:-0}" '#bytes' "${bytes:-0}"
  fi
}

# follow: waits until the backup ends, and sets $state.
follow() {
  while :; do
    retry "$what" http GET "$snapshots/$name?pretty&filter_path=snapshots.state,snapshots.reason,snapshots.shards,snapshots.failures" || exit
    [ "$STATUS" != 404 ] || explain_loss
    answered "$what"
    state=$(value 'snapshots[0].state')
    [ "$state" = IN_PROGRESS ] || return 0
    look
    pause 1000
  done
}

# explain_loss: ends the script with the reason why the repository does not have the backup. OpenSearch drops one that it cannot write.
explain_loss() {
  retry "repository $BACKUP_REPOSITORY" verify_repository || exit
  answered "repository $BACKUP_REPOSITORY"
  fail "$EX_DATAERR" "backup $name is not in the repository: somebody deleted it, or OpenSearch could not write it (docker logs opensearch-1)"
}

# verify: ends the script unless the backup has every shard. Its status says SUCCESS of a partial one too.
verify() {
  failed=$(value 'snapshots[0].shards.failed')
  total=$(value 'snapshots[0].shards.total')
  successful=$(value 'snapshots[0].shards.successful')
  if [ "$state" != SUCCESS ] || [ "$failed" != 0 ] || [ "$successful" != "$total" ]; then
    why="$(value 'snapshots[0].reason') $(value 'snapshots[0].failures[0].reason')"
    fail "$EX_DATAERR" "backup $name is ${state:-gone}, with ${failed:-?} of ${total:-?} shards failed: ${why# }"
  fi
  look
  [ "$DONE" = "$total" ] || fail "$EX_DATAERR" "backup $name has $DONE of $total shards in the repository"
  retry "repository $BACKUP_REPOSITORY" verify_repository || exit
  answered "repository $BACKUP_REPOSITORY"
}

# prune: removes good backups of this cluster beyond BACKUP_KEEP, and those of it that are not good and older than its newest good one. Those
# of another cluster may be all that is left of its data.
prune() {
  # A deletion answers at its end, and waits for a restore. In a bucket, both take long.
  CALL_SECONDS=300
  GROUNDWORK_DEADLINE_SECONDS=3600
  list_backups
  awk -v keep="$BACKUP_KEEP" -v cluster="$CLUSTER" '
    $3 == cluster { state[++count] = $2; name[count] = $4 }
    END {
      for (i = count; i >= 1; i--) {
        if (state[i] == "SUCCESS") { if (++good > keep) print name[i] }
        else if (good > 0 && state[i] != "IN_PROGRESS") print name[i]
      }
    }' "$backups" >"$GROUNDWORK_RUN_DIR/old"
  while read -r old; do
    retry "remove backup $old" http DELETE "$snapshots/$old?pretty" || exit
    # Another one removed it, or the answer of the first attempt was lost.
    [ "$STATUS" = 404 ] || answered "remove backup $old"
    log info removed backup "$old"
  done <"$GROUNDWORK_RUN_DIR/old"
}

name=backup-$(date -u +%Y-%m-%d-%H%M%S)
read_cluster
list_backups
refuse_others
what="backup $name"
retry "$what" create || exit
# The answer of the first attempt was lost.
grep -q 'snapshot with the same name' "$body" || answered "$what"
log info started backup "$name"
follow
verify
settle created "$name"
prune
finish
