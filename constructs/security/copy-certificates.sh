#!/bin/sh
# copy-certificates.sh FROM TO: makes the files of folder TO the same as those of folder FROM. A running node reads them at any moment, so
# each is written beside its name and renamed. The group of the process can read them.
set -eu
umask 0337
copied=
for file in "$1"/*; do
  name=${file##*/}
  rm -f "$2/$name.new"
  # Synced, since an empty file after a power failure would stop the node.
  dd if="$file" of="$2/$name.new" conv=fsync 2>/dev/null || {
    echo "cannot write $name into the volume: check the free space of the machine" >&2
    exit 1
  }
  mv -f "$2/$name.new" "$2/$name"
  copied="$copied $name"
done
for file in "$2"/*; do
  [ -e "$1/${file##*/}" ] || rm "$file"
done
echo "copied$copied"
