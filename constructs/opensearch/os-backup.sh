#!/bin/sh
# Registers the repository, and takes a backup whenever the newest good one is older than BACKUP_EVERY_SECONDS. Uses rest.sh, backups.sh
# and take-backup.sh. Logs every BACKUP_LOOK_SECONDS when the newest good backup started, which Alloy makes a metric.
# REPOSITORY_DIR  if set: the volume of the repository
# READY_FILE      exists once the repository is registered and every node can use it

here=${0%/*}
# shellcheck source=../init-sidecar/lib.sh
. "$here/lib.sh"
# shellcheck source=rest.sh
. "$here/rest.sh"
# shellcheck source=backups.sh
. "$here/backups.sh"

trap terminate TERM

# own: gives a new volume, which belongs to root, to the group of the nodes.
own() {
  if ! chgrp 1000 "$REPOSITORY_DIR" || ! chmod 2770 "$REPOSITORY_DIR"; then
    fail "$EX_CONFIG" "the volume of the repository cannot be given to group 1000, as which OpenSearch runs"
  fi
}

# require_plugin PLUGIN: ends the script unless every node has it.
require_plugin() {
  retry "the plugins" http GET '/_nodes/plugins?pretty&filter_path=nodes.*.name,nodes.*.plugins.name' || exit
  answered "the plugins"
  lacking=$(flatten <"$body" | awk -v wanted="\"$1\"" '
    match($0, /\.name="/) {
      node = substr($0, 1, RSTART - 1)
      sub(/\.plugins\[[0-9]+\]$/, "", node)
      text = substr($0, index($0, "=") + 1)
      if ($0 ~ /\.plugins\[[0-9]+\]\.name=/) { if (text == wanted) has[node] = 1 } else name[node] = text
    }
    END { for (node in name) if (!(node in has)) print name[node] }' | tr -d '"' | sort | tr '\n' ' ')
  [ -z "$lacking" ] ||
    fail "$EX_CONFIG" "the repository needs the plugin $1, which the image of ${lacking% } lacks: build an image with it and set openSearch.image (docs/how-to/backup.md), or declare a repository of kind volume or path"
}

# register: registers the repository unless it is registered as declared. OpenSearch verifies it on every node, and forgets how the former
# storage was. So a registration that does not name its storage, as of an earlier version, must have the backups that OpenSearch expects.
register() {
  http GET "$snapshots?pretty" || return
  if [ "$STATUS" = 200 ]; then
    flatten <"$body" | sed "s/^$BACKUP_REPOSITORY\.//" | sort >"$GROUNDWORK_RUN_DIR/registered"
    ! same "$GROUNDWORK_RUN_DIR/registered" "$here/repository.fields" || return 0
    grep -v '^settings\.groundwork_storage=' "$here/repository.fields" >"$GROUNDWORK_RUN_DIR/without-storage"
    ! same "$GROUNDWORK_RUN_DIR/registered" "$GROUNDWORK_RUN_DIR/without-storage" || read_backups || return
  fi
  http PUT "$snapshots?pretty" "$here/repository.json" || explain_access
}

# ensure_repository: ends the script unless the repository is registered as declared, and every node can use it.
ensure_repository() {
  retry "repository $BACKUP_REPOSITORY" register || exit
  answered "repository $BACKUP_REPOSITORY"
  retry "repository $BACKUP_REPOSITORY" verify_repository || exit
  answered "repository $BACKUP_REPOSITORY"
}

# look: logs the newest good backup of this cluster, and writes when it started to $newest. None is good that a node cannot read. Runs in a
# subshell, which has no traps yet, since it may fail.
look() {
  trap terminate TERM
  ensure_repository
  read_cluster
  list_backups
  good=$(own_good | wc -l)
  # shellcheck disable=SC2046 # the four fields of a line
  set -- $(own_good | tail -n 1)
  echo "$((${1:-0} / 1000))" >"$newest"
  if [ $# -eq 4 ]; then
    log info state '#good' "$((good))" newest "$4" '#newest_timestamp_seconds' "$(($1 / 1000))"
  else
    log warn state '#good' 0
  fi
}

newest=$GROUNDWORK_RUN_DIR/newest
rm -f "$READY_FILE"
[ -z "${REPOSITORY_DIR-}" ] || own
retry "OpenSearch with $OPENSEARCH_NODES nodes" cluster_ready || exit
! grep -q '"type": "s3"' "$here/repository.json" || require_plugin repository-s3
ensure_repository
log info ready repository "$BACKUP_REPOSITORY"
: >"$READY_FILE"

failures=0
wait_until=0
while :; do
  if await look; then
    read -r started <"$newest"
    time=$(date +%s)
    if [ "$((time - started))" -ge "$BACKUP_EVERY_SECONDS" ] && [ "$time" -ge "$wait_until" ]; then
      if await sh "$here/supervise.sh" "$here/take-backup.sh"; then
        failures=0
        await look
      else
        failures=$((failures + 1))
        # After a failure again at the next look, then twice as long each time, at most an hour.
        delay=$((BACKUP_LOOK_SECONDS << (failures < 7 ? failures - 1 : 6)))
        [ "$delay" -le 3600 ] || delay=3600
        wait_until=$(($(date +%s) + delay))
      fi
    fi
  else
    read -r reason <<REASON
$(sed -n 's/^reason //p' "$GROUNDWORK_RUN_DIR/record" | tail -n 1)
REASON
    log error failed reason "$reason"
  fi
  pause "$((BACKUP_LOOK_SECONDS * 1000))"
done
