#!/bin/sh
# measure.sh FOLDER NAME...: prints "NAME KIB SECONDS" for volumes that are mounted as FOLDER/NAME: the size on disk, and the newest
# modification of a file or folder in it, in seconds since 1970. A value that is not known within a minute is "-".
folder=$1
shift
measure() {
  size=$(timeout 60 du -sk "$folder/$1" 2>/dev/null | cut -f 1)
  if times=$(timeout 60 find "$folder/$1" -exec stat -c %Y {} + 2>/dev/null); then
    newest=$(printf '%s\n' "$times" | sort -n | tail -n 1)
  else
    newest=-
  fi
  echo "$1 ${size:--} $newest"
}
for name; do
  measure "$name" &
done
wait
