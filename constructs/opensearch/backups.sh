# shellcheck shell=sh
# What the scripts of os-backup share. Uses lib.sh and rest.sh.
# BACKUP_REPOSITORY   name of the snapshot repository
# BACKUP_ENVIRONMENT  name of the environment, which every backup has in its metadata

# A repository with many backups or shards answers slowly. A third of the deadline, so that each node is asked.
# shellcheck disable=SC2034 # rest.sh reads it
CALL_SECONDS=20

snapshots=/_snapshot/$BACKUP_REPOSITORY
# A line per backup, the oldest first: START_MS STATE CLUSTER NAME. Only those that os-backup took.
backups=$GROUNDWORK_RUN_DIR/backups

# answered WHAT: ends the script unless the last request succeeded.
answered() {
  case $STATUS in
    2??) ;;
    *) fail "$EX_DATAERR" "$1: OpenSearch refuses: $(answer): HTTP $STATUS" ;;
  esac
}

# shellcheck disable=SC2154 # rest.sh sets it
# value PATH: prints a scalar of the last response, without quotes.
value() {
  flatten <"$body" | awk -v path="$1=" 'index($0, path) == 1 { print substr($0, length(path) + 1) }' | sed 's/^"//; s/"$//'
}

# read_cluster: sets $CLUSTER to the id of the cluster, which a new cluster with the same name does not have.
read_cluster() {
  retry "the id of the cluster" http GET '/?pretty' || exit
  answered "the id of the cluster"
  # shellcheck disable=SC2034 # take-backup.sh reads it
  CLUSTER=$(value cluster_uuid)
}

# list_backups: writes $backups.
list_backups() {
  retry "the backups" http GET "$snapshots/_all?pretty&filter_path=snapshots.snapshot,snapshots.state,snapshots.start_time_in_millis,snapshots.metadata" || exit
  answered "the backups"
  flatten <"$body" | awk '
    match($0, /^snapshots\[[0-9]+\]\./) {
      at = substr($0, 1, RLENGTH)
      rest = substr($0, RLENGTH + 1)
      equals = index(rest, "=")
      field = substr(rest, 1, equals - 1)
      text = substr(rest, equals + 1)
      gsub(/^"|"$/, "", text)
      if (!(at in seen)) { seen[at] = 1; order[++count] = at }
      found[at field] = text
    }
    END {
      for (i = 1; i <= count; i++) {
        at = order[i]
        if (found[at "metadata.taken_by"] != "groundwork") continue
        print found[at "start_time_in_millis"], found[at "state"], found[at "metadata.cluster"], found[at "snapshot"]
      }
    }' | sort -n >"$backups"
}

# own_good: prints the lines of the good backups of this cluster.
own_good() {
  awk -v cluster="$CLUSTER" '$2 == "SUCCESS" && $3 == cluster' "$backups"
}
