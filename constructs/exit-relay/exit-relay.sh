#!/bin/sh
# Prints how every container of an environment ended, one JSON object a line: the state of each when the relay starts and every
# hour, and every create, die and oom event of the engine as it happens. POSIX sh; needs the docker CLI and the engine's socket.
# GROUNDWORK_ENVIRONMENT  value of the label groundwork.environment of the containers
# GROUNDWORK_READY_FILE   is made when the relay follows the engine's events

set -u
export LC_ALL=C

filter="label=groundwork.environment=$GROUNDWORK_ENVIRONMENT"

# seconds RFC3339-TIME: since 1970. Both GNU's and busybox's date read the form without T and fraction.
seconds() {
  date -u -d "$(printf '%s' "$1" | sed 's/T/ /; s/[.Z].*//')" +%s
}

# The engine keeps only its last 256 events, and the health checks of a dozen containers fill that in seconds. So a start looks
# at the containers themselves, and says what was missed while no relay ran. Alloy forgets its gauges when it restarts, hence
# the repetition. Saying it twice is harmless: the times and the exit code are the container's own.
say_states() {
  ids=$(docker ps --all --quiet --filter "$filter") || return
  [ -n "$ids" ] || return 0
  label='{{json (index .Config.Labels "groundwork.%s")}}'
  # shellcheck disable=SC2059 # the format of one label
  fields=$(printf '"container":{{json (slice .Name 1)}},"service":'"$label"',"role":'"$label"',"stack":'"$label" service role stack)
  # shellcheck disable=SC2086 # ids are words
  docker inspect --format "{{.State.Status}} {{.Created}} {{.State.FinishedAt}} {{.State.ExitCode}} $fields" $ids |
    while read -r status created finished code rest; do
      fields="$rest,\"status\":\"$status\",\"created\":$(seconds "$created")"
      case $status in
        exited | dead)
          finished=$(seconds "$finished")
          fields="$fields,\"exit_code\":$code,\"finished\":$finished"
          [ "$code" -ne 0 ] || fields="$fields,\"succeeded\":$finished"
          ;;
      esac
      printf '{"time":%s,"event":"state",%s}\n' "$(date +%s)" "$fields"
    done
}

# When this very container stopped the last time; the beginning of the present second when it never did.
last_heard() {
  stopped=$(docker inspect --format '{{.State.FinishedAt}}' "$(hostname)" 2>/dev/null)
  case $stopped in
    '' | 0001-*) date +%s ;;
    *) printf '%s\n' "$stopped" ;;
  esac
}

rm -f "$GROUNDWORK_READY_FILE"
since=$(last_heard)
say_states || exit
: >"$GROUNDWORK_READY_FILE"
while sleep 3600; do
  say_states
done &

attribute='{{json (index .Actor.Attributes "%s")}}'
# shellcheck disable=SC2059 # the format of one attribute
fields=$(printf '"container":'"$attribute"',"service":'"$attribute"',"role":'"$attribute"',"stack":'"$attribute" \
  name groundwork.service groundwork.role groundwork.stack)
# shellcheck disable=SC2016 # a variable of the template
code='{{$code := index .Actor.Attributes "exitCode"}}'
exec docker events --since "$since" --filter "$filter" --filter type=container \
  --filter event=create --filter event=die --filter event=oom \
  --format "$code{\"time\":{{.Time}},\"event\":{{json .Action}},$fields{{if \$code}},\"exit_code\":{{\$code}},\"finished\":{{.Time}}{{if eq \$code \"0\"}},\"succeeded\":{{.Time}}{{end}}{{end}}{{if eq (print .Action) \"create\"}},\"created\":{{.Time}}{{end}}}"
