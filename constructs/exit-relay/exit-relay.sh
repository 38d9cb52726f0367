#!/bin/sh
# Prints how containers ended, one JSON object a line: the environment's own, and the applications on its project network. The state
# of each when the relay starts and every hour, and every end and out-of-memory kill as the engine tells of it; of the
# environment's own every creation as well, and what the id that cgroups have for a name belongs to: cluster, environment and
# image; of applications with our label every start and the same. POSIX sh; needs the docker CLI.
# DOCKER_HOST                 the engine, to be read: versions, containers, images by id, events
# GROUNDWORK_ENVIRONMENT      value of the label groundwork.environment of the environment's own containers
# GROUNDWORK_PROJECT_NETWORK  network on which every other container is an application, unless its label groundwork.exits is false
# GROUNDWORK_NOTES_DIR        what was seen of containers that have not ended yet; is to outlive a restart of the relay
# GROUNDWORK_READY_FILE       is made when the relay follows the engine's events

# shellcheck disable=SC2016 # Go's templates have variables of their own
set -u
export LC_ALL=C

# Failures of an application are counted over this time; the alert ApplicationFailing looks back as far.
WINDOW_SECONDS=900
# So long the last end of an application is repeated.
REPEAT_SECONDS=86400
# Some engines take a container that ends off its network first and tell of the end afterwards.
LEAVE_SECONDS=30

# A file each: empty for a container on the project network, with the time when it left; with the signal that it was sent; with the
# name of an image, as it was when the first container of it was seen.
members=$GROUNDWORK_NOTES_DIR/members
signals=$GROUNDWORK_NOTES_DIR/signals
images=$GROUNDWORK_NOTES_DIR/images
# A line "TIME SERVICE" for every failure of an application.
failures=$GROUNDWORK_NOTES_DIR/failures

# Go templates over the id $d, the labels $l and the image $i of a container. An application without a label of ours or of compose's
# goes by its image: a job that is run under a new name each time would otherwise be a new service each time.
# An application with our label is measured like the environment's own, and its id told.
own='(eq (index $l "groundwork.environment") "'$GROUNDWORK_ENVIRONMENT'")'
whose="{{if $own}}own{{else if eq (index \$l \"groundwork.exits\") \"false\"}}nobody{{else if index \$l \"groundwork.service\"}}measured{{else}}application{{end}}"
service='{{json (or (index $l "groundwork.service") (index $l "com.docker.compose.service") $i)}}'
role="{{if $own}}{{json (index \$l \"groundwork.role\")}}{{else}}\"application\"{{end}}"
stack='{{json (or (index $l "groundwork.stack") (index $l "com.docker.compose.project"))}}'
cluster='{{json (or (index $l "groundwork.cluster") "")}}'
known='"id":{{json $d}},"cluster":'$cluster',"environment":"'$GROUNDWORK_ENVIRONMENT'","image":{{json $i}},'
fields="{{if or $own (index \$l \"groundwork.service\")}}$known{{end}}"
fields="$fields\"container\":{{json \$n}},\"service\":$service,\"role\":$role,\"stack\":$stack"

# say TIME EVENT FIELDS. Of a container that Terraform made the engine has but the image's id for its name.
say() {
  told=$3
  case $told in
    *'"image":"sha256:'*)
      image=${told#*\"image\":\"}
      image=${image%%\"*}
      [ -s "$images/$image" ] ||
        docker image inspect --format '{{range .RepoTags}}{{println .}}{{end}}' "$image" 2>/dev/null | head -n 1 >"$images/$image"
      called=
      read -r called <"$images/$image"
      told="${told%%"$image"*}${called:-$image}${told#*"$image"}"
      ;;
  esac
  printf '{"time":%s,"event":"%s",%s}\n' "$1" "$2" "$told"
}

# seconds RFC3339-TIME: since 1970. Both GNU's and busybox's date read the form without T and fraction.
seconds() {
  date -u -d "$(printf '%s' "$1" | sed 's/T/ /; s/[.Z].*//')" +%s
}

members_now() {
  docker ps --all --quiet --no-trunc --filter "network=$GROUNDWORK_PROJECT_NETWORK"
}

# The engine keeps only its last 256 events, and the health checks of a dozen containers fill that in seconds. So a start looks
# at the containers themselves, and says what was missed while no relay ran. Alloy forgets its gauges when it restarts, hence
# the repetition. Saying it twice is harmless: the times and the exit code are the container's own.
say_states() {
  ids=$(docker ps --all --quiet --no-trunc --filter "label=groundwork.environment=$GROUNDWORK_ENVIRONMENT" && members_now) || return
  ids=$(printf '%s\n' "$ids" | sort -u)
  [ -n "$ids" ] || return 0
  # Silent about one that is removed meanwhile, as applications are.
  # shellcheck disable=SC2086 # ids are words
  docker inspect --format '{{$d := .ID}}{{$n := slice .Name 1}}{{$l := .Config.Labels}}{{$i := .Config.Image}}'"$whose"' {{.State.Status}} {{.Created}} {{.State.FinishedAt}} {{.State.ExitCode}} '"$fields" $ids 2>/dev/null |
    while read -r whose status created finished code fields; do
      now=$(date +%s)
      fields="$fields,\"status\":\"$status\",\"created\":$(seconds "$created")"
      case $whose/$status in
        nobody/*) continue ;;
        */exited | */dead | application/restarting | measured/restarting)
          finished=$(seconds "$finished")
          [ "$whose" = own ] || [ $((now - finished)) -le $REPEAT_SECONDS ] || continue
          fields="$fields,\"exit_code\":$code,\"finished\":$finished"
          [ "$code" -ne 0 ] || fields="$fields,\"succeeded\":$finished"
          ;;
        own/* | measured/running) ;;
        *) continue ;;
      esac
      say "$now" state "$fields"
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

# is_member ID TIME: whether a container was on the project network then, or left it as it ended.
is_member() {
  [ -e "$members/$1" ] || return
  left=
  read -r left <"$members/$1"
  [ -z "$left" ] || [ $(($2 - left)) -le $LEAVE_SECONDS ]
}

# is_heard WHOSE ID TIME: whether ends are told of.
is_heard() {
  [ "$1" = own ] || { [ "$1" != nobody ] && is_member "$2" "$3"; }
}

# count_failure TIME SERVICE: how many of the service there are within the window, with this one.
count_failure() {
  printf '%s %s\n' "$1" "$2" >>"$failures"
  SERVICE=$2 awk -v after=$(($1 - WINDOW_SECONDS)) -v kept="$failures.kept" '
    $1 > after { print >kept; count += substr($0, index($0, " ") + 1) == ENVIRON["SERVICE"] }
    END { print count }' "$failures"
  mv "$failures.kept" "$failures"
}

# say_end WHOSE ID TIME CODE FIELDS
say_end() {
  line="$5,\"exit_code\":$4,\"finished\":$3"
  [ "$4" -ne 0 ] || line="$line,\"succeeded\":$3"
  if [ -e "$signals/$2" ]; then
    read -r signal <"$signals/$2"
    line="$line,\"signal\":$signal"
  elif [ "$1" != own ] && [ "$4" -ne 0 ]; then
    # Of its service, whichever container it is: no name has a comma.
    line="$line,\"failures\":$(count_failure "$3" "${5#*\"container\":*,}"),\"failed\":$3"
  fi
  say "$3" die "$line"
}

# Says what the events on standard input mean. A file for what is to be remembered of a container, since it is gone from the
# network, and with --rm altogether, by the time that its end is told.
follow() {
  while read -r whose event id time code signal fields; do
    case $whose/$event in
      network/connect) : >"$members/$id" ;;
      network/disconnect) printf '%s\n' "$time" >"$members/$id" ;;
      */destroy) rm -f "$members/$id" "$signals/$id" ;;
      # INT, QUIT, KILL and TERM, as docker stop, kill and rm send them. The rest, such as HUP, ends nothing.
      */kill) case $signal in 2 | 3 | 9 | 15) printf '%s\n' "$signal" >"$signals/$id" ;; esac ;;
      own/create) say "$time" create "$fields,\"created\":$time" ;;
      measured/start) ! is_member "$id" "$time" || say "$time" start "$fields" ;;
      */oom) ! is_heard "$whose" "$id" "$time" || say "$time" oom "$fields,\"oom_killed\":$time" ;;
      */die)
        ! is_heard "$whose" "$id" "$time" || say_end "$whose" "$id" "$time" "$code" "$fields"
        rm -f "$signals/$id"
        ;;
    esac
  done
}

rm -f "$GROUNDWORK_READY_FILE"
# It may be started before the proxy that it asks, or anew because that has ended.
until docker version >/dev/null; do
  sleep 1
done
mkdir -p "$members" "$signals" "$images"
since=$(last_heard)
for id in $(members_now); do
  : >"$members/$id"
done
say_states || exit
: >"$GROUNDWORK_READY_FILE"
while sleep 3600; do
  say_states
done &

docker events --since "$since" --filter type=container --filter type=network \
  --filter event=create --filter event=start --filter event=die --filter event=oom --filter event=kill --filter event=destroy \
  --filter event=connect --filter event=disconnect \
  --format '{{$d := .Actor.ID}}{{$l := .Actor.Attributes}}{{$n := index $l "name"}}{{$i := index $l "image"}}{{if eq (print .Type) "network"}}{{if eq (index $l "name") "'"$GROUNDWORK_PROJECT_NETWORK"'"}}network{{else}}elsewhere{{end}} {{.Action}} {{index $l "container"}} {{.Time}}{{else}}'"$whose"' {{.Action}} {{.Actor.ID}} {{.Time}} {{or (index $l "exitCode") "-"}} {{or (index $l "signal") "-"}} '"$fields"'{{end}}' |
  follow
