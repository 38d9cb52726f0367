#!/bin/sh
# kafka-program.sh JAR SIZE PROGRAM ARGUMENT...: takes a jar of SIZE bytes from standard input, unless it is there, and runs a program of it
# with the libraries of the Kafka image and the rest of standard input. Ends with its standard input.
set -eu
jar=$1
size=$2
folder=${jar%/*}
shift 2
# head may read more than it prints.
take() {
  dd bs="$size" count=1 iflag=fullblock 2>/dev/null
}
if [ -e "$jar" ]; then
  take >/dev/null
else
  take >"$jar.$$"
  if [ "$(wc -c <"$jar.$$")" -ne "$size" ]; then
    rm "$jar.$$"
    exit 1
  fi
  # Of other versions. A run of theirs keeps its file open.
  rm -f "$folder"/groundwork-*.jar
  mv "$jar.$$" "$jar"
fi
class_path=$jar
for library in kafka-clients slf4j-api jackson-core; do
  for file in /opt/kafka/libs/"$library"-[0-9]*.jar; do
    class_path=$class_path:$file
  done
done
# A small heap beside the broker's. A shared archive of the classes, which the first run writes, makes the start twice as fast.
exec java -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xlog:disable \
  -XX:+AutoCreateSharedArchive -XX:SharedArchiveFile="$folder/groundwork.jsa" -cp "$class_path" "$@"
