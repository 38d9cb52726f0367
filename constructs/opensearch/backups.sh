# shellcheck shell=sh
# shellcheck disable=SC2154 # the scripts that use it set $here, and rest.sh sets $body
# What the scripts of os-backup share. Uses lib.sh and rest.sh.
# BACKUP_REPOSITORY   name of the snapshot repository
# BACKUP_PATH         if set: the path of the repository on the machine of every node
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

# value PATH: prints a scalar of the last response, without quotes.
value() {
  flatten <"$body" | awk -v path="$1=" 'index($0, path) == 1 { print substr($0, length(path) + 1) }' | sed 's/^"//; s/"$//'
}

# verify_repository: checks that every node can use the repository.
verify_repository() {
  http POST "$snapshots/_verify?pretty" || explain_access
}

# explain_access: puts the remedy before the reason of a node that cannot use the repository. Returns 75.
explain_access() {
  case $REASON in *'HTTP 5'*) ;; *) return "$EX_TEMPFAIL" ;; esac
  # The reason of a denied access is only the path in the container.
  if grep -q '"type": "s3"' "$here/repository.json"; then
    REASON="Every node must reach the bucket with the credentials in its keystore or of its machine. $REASON"
  elif [ -n "${BACKUP_PATH-}" ] && grep -qi 'access_denied\|accessdenied' "$body"; then
    REASON="OpenSearch may not write to $BACKUP_PATH: mount the storage there and give it to user 1000 on the machine of every node (chown 1000:1000). $REASON"
  elif grep -q 'not accessible\|not shared' "$body"; then
    REASON="$REASON. The same storage must be mounted on the machine of every node"
  fi
  return "$EX_TEMPFAIL"
}

# read_cluster: sets $CLUSTER to the id of the cluster, which a new cluster with the same name does not have.
read_cluster() {
  retry "the id of the cluster" http GET '/?pretty' || exit
  answered "the id of the cluster"
  # shellcheck disable=SC2034 # take-backup.sh reads it
  CLUSTER=$(value cluster_uuid)
}

# read_backups: asks for all backups. OpenSearch refuses a storage that is not as it left it, and every later one until the repository is
# registered again. Only a person knows whether the storage is the right one: an empty folder may be a missing mount.
read_backups() {
  answer_status=0
  http GET "$snapshots/_all?pretty&filter_path=snapshots.snapshot,snapshots.state,snapshots.start_time_in_millis,snapshots.metadata" || answer_status=$?
  if [ "$answer_status" = "$EX_TEMPFAIL" ] && grep -q 'do not match its expected state' "$body"; then
    REASON="The storage of repository $BACKUP_REPOSITORY${BACKUP_PATH:+, $BACKUP_PATH,} is not as OpenSearch left it: if it is not mounted, mount it again; if another cluster writes to it, stop that; if you replaced it on purpose, keep it. Then register it again as in docs/how-to/backup.md#if-the-storage-is-not-as-expected. $REASON"
  fi
  return "$answer_status"
}

# list_backups: writes $backups.
list_backups() {
  retry "the backups" read_backups || exit
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
