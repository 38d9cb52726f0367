#!/bin/sh
# Prints how containers exited, one JSON object per line: the environment's own containers, and the applications on its project network.
# - of all of them: the state, when the relay starts and every hour; every exit and out-of-memory kill, from the engine's events
# - of the environment's own: also every creation, and the cluster, environment and image of the id, which is the name of the cgroup
# - of applications with the label groundwork.service: also every start, and the same fields
# POSIX sh; needs the docker CLI.
# DOCKER_HOST                 the Docker engine. The relay reads versions, containers, images by id, and events
# GROUNDWORK_ENVIRONMENT      value of the label groundwork.environment of the environment's own containers
# GROUNDWORK_INFRA_NETWORK    network of the environment's own containers. One with that label that is only on the project network is not reported
# GROUNDWORK_PROJECT_NETWORK  network on which every other container is an application, unless its label groundwork.exits is false
# GROUNDWORK_NOTES_DIR        notes on containers that have not exited yet; must outlive a restart of the relay
# GROUNDWORK_READY_FILE       created when the relay follows the engine's events

# shellcheck disable=SC2016 # Go's templates have variables of their own
set -u
export LC_ALL=C

# The window in which failures of an application are counted; the alert ApplicationFailing uses the same.
WINDOW_SECONDS=900
# For how long the last exit of an application is repeated.
REPEAT_SECONDS=86400
# Some engines disconnect an exiting container from its network before they report the exit.
LEAVE_SECONDS=30

# A file per container: empty while it is on the project network, then the time when it left; empty once it was on the network of the
# environment's own containers; the signal that it was sent.
# A file per container with a label named exitCode or signal. The engine's events have the label's value in place of their own.
# A file per image: its name when its first container was seen.
members=$GROUNDWORK_NOTES_DIR/members
insiders=$GROUNDWORK_NOTES_DIR/insiders
signals=$GROUNDWORK_NOTES_DIR/signals
labelled=$GROUNDWORK_NOTES_DIR/labelled
images=$GROUNDWORK_NOTES_DIR/images
# A line "TIME SERVICE" per failure of an application.
failures=$GROUNDWORK_NOTES_DIR/failures

# Go templates over the id $d, the labels $l, the name $n and the image $i of a container. Without a label of ours or of Compose, an
# application's service is its image: a job that runs under a new name each time would otherwise be a new service each time.
# An application with our label is "measured": its id is printed, as for the environment's own containers.
own='(eq (index $l "groundwork.environment") "'$GROUNDWORK_ENVIRONMENT'")'
kind="{{if $own}}own{{else if eq (index \$l \"groundwork.exits\") \"false\"}}ignored{{else if index \$l \"groundwork.service\"}}measured{{else}}application{{end}}"
service='{{json (or (index $l "groundwork.service") (index $l "com.docker.compose.service") $i)}}'
# An application that has the environment's label: any container may have labels, but only the environment's own join its network.
poses='(index .NetworkSettings.Networks "'$GROUNDWORK_PROJECT_NETWORK'") (not (index .NetworkSettings.Networks "'$GROUNDWORK_INFRA_NETWORK'"))'
role="{{if $own}}{{json (index \$l \"groundwork.role\")}}{{else}}\"application\"{{end}}"
stack='{{json (or (index $l "groundwork.stack") (index $l "com.docker.compose.project"))}}'
cluster='{{json (or (index $l "groundwork.cluster") "")}}'
known='"id":{{json $d}},"cluster":'$cluster',"environment":"'$GROUNDWORK_ENVIRONMENT'","image":{{json $i}},'
fields="{{if or $own (index \$l \"groundwork.service\")}}$known{{end}}"
fields="$fields\"container\":{{json \$n}},\"service\":$service,\"role\":$role,\"stack\":$stack"

# emit TIME EVENT FIELDS: prints a line. For a container that Terraform created, the engine knows only the image's id, not its name.
emit() {
  entry=$3
  case $entry in
    *'"image":"sha256:'*)
      image=${entry#*\"image\":\"}
      image=${image%%\"*}
      [ -s "$images/$image" ] ||
        docker image inspect --format '{{range .RepoTags}}{{println .}}{{end}}' "$image" 2>/dev/null | head -n 1 >"$images/$image"
      name=
      read -r name <"$images/$image"
      entry="${entry%%"$image"*}${name:-$image}${entry#*"$image"}"
      ;;
  esac
  printf '{"time":%s,"event":"%s",%s}\n' "$1" "$2" "$entry"
}

# seconds RFC3339-TIME: prints seconds since 1970. Both GNU's and busybox's date read the form without T and fraction.
seconds() {
  date -u -d "$(printf '%s' "$1" | sed 's/T/ /; s/[.Z].*//')" +%s
}

# on_network NAME: prints the ids of the containers on a network.
on_network() {
  docker ps --all --quiet --no-trunc --filter "network=$1"
}

# The engine keeps only its last 256 events, and the health checks of a dozen containers fill that in seconds. So a starting relay
# inspects the containers, which covers the time when it did not run. Alloy loses its gauges when it restarts, hence the
# repetition. A repeated line is harmless: the times and the exit code are the container's own.
emit_states() {
  ids=$(docker ps --all --quiet --no-trunc --filter "label=groundwork.environment=$GROUNDWORK_ENVIRONMENT" && on_network "$GROUNDWORK_PROJECT_NETWORK") || return
  ids=$(printf '%s\n' "$ids" | sort -u)
  [ -n "$ids" ] || return 0
  # A container may be removed meanwhile, which is no error.
  # shellcheck disable=SC2086 # ids are words
  docker inspect --format '{{$d := .ID}}{{$n := slice .Name 1}}{{$l := .Config.Labels}}{{$i := .Config.Image}}{{if and '"$own $poses"'}}ignored{{else}}'"$kind"'{{end}} {{.State.Status}} {{.Created}} {{.State.FinishedAt}} {{.State.ExitCode}} '"$fields" $ids 2>/dev/null |
    while read -r kind status created finished code fields; do
      now=$(date +%s)
      fields="$fields,\"status\":\"$status\",\"created\":$(seconds "$created")"
      case $kind/$status in
        ignored/*) continue ;;
        */exited | */dead | application/restarting | measured/restarting)
          finished=$(seconds "$finished")
          [ "$kind" = own ] || [ $((now - finished)) -le $REPEAT_SECONDS ] || continue
          fields="$fields,\"exit_code\":$code,\"finished\":$finished"
          [ "$code" -ne 0 ] || fields="$fields,\"succeeded\":$finished"
          ;;
        own/* | measured/running) ;;
        *) continue ;;
      esac
      emit "$now" state "$fields"
    done
}

# last_stopped: prints when the relay's own container last stopped; the current second if it never did.
last_stopped() {
  stopped=$(docker inspect --format '{{.State.FinishedAt}}' "$(hostname)" 2>/dev/null)
  case $stopped in
    '' | 0001-*) date +%s ;;
    *) printf '%s\n' "$stopped" ;;
  esac
}

# note_labels: notes the containers of before the relay's start.
note_labels() {
  for label in exitCode signal; do
    for id in $(docker ps --all --quiet --no-trunc --filter "label=$label"); do
      : >"$labelled/$label.$id"
    done
  done
}

# exit_code_of ID CODE: prints the exit code, CODE by the event. Prints nothing if a label hides it and the container is removed or
# runs again.
exit_code_of() {
  case $2 in
    '' | *[!0-9]*) : >"$labelled/exitCode.$1" ;;
  esac
  if [ -e "$labelled/exitCode.$1" ]; then
    docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1" 2>/dev/null |
      sed -n 's/^exited //p; s/^dead //p; s/^restarting //p; s/^removing //p'
  else
    printf '%s\n' "$2"
  fi
}

# is_member ID TIME: whether a container was on the project network at that time, or left it by exiting.
is_member() {
  [ -e "$members/$1" ] || return
  left=
  read -r left <"$members/$1"
  [ -z "$left" ] || [ $(($2 - left)) -le $LEAVE_SECONDS ]
}

# is_reported KIND ID TIME: whether the relay reports exits of a container.
is_reported() {
  case $1 in
    own) [ ! -e "$members/$2" ] || [ -e "$insiders/$2" ] ;;
    ignored) return 1 ;;
    *) is_member "$2" "$3" ;;
  esac
}

# is_posing ID: whether a container that was just created, and so has not joined a network yet, is an application with the
# environment's label.
is_posing() {
  [ "$(docker inspect --format '{{and '"$poses"'}}' "$1" 2>/dev/null)" = true ]
}

# count_failure TIME SERVICE: notes a failure, and prints how many the service has within the window.
count_failure() {
  printf '%s %s\n' "$1" "$2" >>"$failures"
  SERVICE=$2 awk -v after=$(($1 - WINDOW_SECONDS)) -v kept="$failures.kept" '
    $1 > after { print >kept; count += substr($0, index($0, " ") + 1) == ENVIRON["SERVICE"] }
    END { print count }' "$failures"
  mv "$failures.kept" "$failures"
}

# emit_exit KIND ID TIME CODE FIELDS
emit_exit() {
  code=$(exit_code_of "$2" "$4")
  if [ -z "$code" ]; then
    emit "$3" die "$5,\"finished\":$3,\"message\":\"the label exitCode hides the exit code: rename the label\""
    return
  fi
  line="$5,\"exit_code\":$code,\"finished\":$3"
  [ "$code" -ne 0 ] || line="$line,\"succeeded\":$3"
  if [ -e "$signals/$2" ]; then
    read -r signal <"$signals/$2"
    line="$line,\"signal\":$signal"
  elif [ "$1" != own ] && [ "$code" -ne 0 ]; then
    # By service, not by container. A container's name has no comma.
    line="$line,\"failures\":$(count_failure "$3" "${5#*\"container\":*,}"),\"failed\":$3"
  fi
  emit "$3" die "$line"
}

# follow: reports the events on standard input. Notes are files, since a container has left the network, and with --rm is removed, by
# the time that its exit is reported.
follow() {
  while read -r kind event id time code signal fields; do
    # Only die has an exit code of its own, and only kill a signal.
    case $event in
      connect | disconnect) ;;
      *)
        [ "$event" = die ] || [ "$code" = - ] || : >"$labelled/exitCode.$id"
        [ "$event" = kill ] || [ "$signal" = - ] || : >"$labelled/signal.$id"
        ;;
    esac
    case $kind/$event in
      network/connect) : >"$members/$id" ;;
      network/disconnect) printf '%s\n' "$time" >"$members/$id" ;;
      inside/connect) : >"$insiders/$id" ;;
      */destroy) rm -f "$members/$id" "$insiders/$id" "$signals/$id" "$labelled/exitCode.$id" "$labelled/signal.$id" ;;
      # INT, QUIT, KILL and TERM, which docker stop, kill and rm send. Others, such as HUP, do not stop a container.
      */kill)
        case $signal in
          2 | 3 | 9 | 15) [ -e "$labelled/signal.$id" ] || printf '%s\n' "$signal" >"$signals/$id" ;;
        esac
        ;;
      own/create) is_posing "$id" || emit "$time" create "$fields,\"created\":$time" ;;
      measured/start) ! is_member "$id" "$time" || emit "$time" start "$fields" ;;
      */oom) ! is_reported "$kind" "$id" "$time" || emit "$time" oom "$fields,\"oom_killed\":$time" ;;
      */die)
        ! is_reported "$kind" "$id" "$time" || emit_exit "$kind" "$id" "$time" "$code" "$fields"
        rm -f "$signals/$id"
        ;;
    esac
  done
}

rm -f "$GROUNDWORK_READY_FILE"
# The engine proxy may start after the relay, or may have stopped, which restarts the relay.
until docker version >/dev/null; do
  sleep 1
done
mkdir -p "$members" "$insiders" "$signals" "$labelled" "$images"
since=$(last_stopped)
for id in $(on_network "$GROUNDWORK_PROJECT_NETWORK"); do
  : >"$members/$id"
done
for id in $(on_network "$GROUNDWORK_INFRA_NETWORK"); do
  : >"$insiders/$id"
done
note_labels
emit_states || exit
: >"$GROUNDWORK_READY_FILE"
while sleep 3600; do
  emit_states
done &

docker events --since "$since" --filter type=container --filter type=network \
  --filter event=create --filter event=start --filter event=die --filter event=oom --filter event=kill --filter event=destroy \
  --filter event=connect --filter event=disconnect \
  --format '{{$d := .Actor.ID}}{{$l := .Actor.Attributes}}{{$n := index $l "name"}}{{$i := index $l "image"}}{{if eq (print .Type) "network"}}{{if eq (index $l "name") "'"$GROUNDWORK_PROJECT_NETWORK"'"}}network{{else if eq (index $l "name") "'"$GROUNDWORK_INFRA_NETWORK"'"}}inside{{else}}elsewhere{{end}} {{.Action}} {{index $l "container"}} {{.Time}}{{else}}'"$kind"' {{.Action}} {{.Actor.ID}} {{.Time}} {{urlquery (or (index $l "exitCode") "-")}} {{urlquery (or (index $l "signal") "-")}} '"$fields"'{{end}}' |
  follow
