#!/usr/bin/env bash
# start.sh CONFIG-DIRECTORY STORAGE-DIRECTORY OPTION...: runs Alloy as the image's user alloy, who reads no file of another user.
# ENGINE  the Docker engine. Alloy is in the group of its socket. If the group may not write to the socket, Alloy has to be root.
set -u

here=$(dirname "$0")
config=$1
storage=$2
shift 2

as=(setpriv --reuid=alloy --regid=alloy --clear-groups)
if [ "${ENGINE#unix://}" != "$ENGINE" ]; then
  socket=${ENGINE#unix://}
  case $(stat -c %A "$socket") in
    ?????w*) as=(setpriv --reuid=alloy --regid=alloy --groups="$(stat -c %g "$socket")") ;;
    *) as=() ;;
  esac
fi

# In a volume of an earlier version, everything is root's. A directory comes after its content: root cannot read it any more then.
[ ${#as[@]} = 0 ] || find "$here" "$storage" -depth -user root -exec chown --no-dereference alloy: {} + 2>/dev/null

exec ${as[@]+"${as[@]}"} bash "$here/run.sh" "$config" "--storage.path=$storage" "$@"
