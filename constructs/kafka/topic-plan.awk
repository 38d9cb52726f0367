# Compares the declared topics (first file, a line each: name, partitions, replication factor, drift policy, configs) with what
# `kafka-topics.sh --describe` printed (second file). Prints, a line each, fields separated by spaces:
#   create NAME
#   equal NAME
#   differs NAME FIELD DECLARED ACTUAL REPAIR    REPAIR is partitions, config or none
#   unshown NAME KEY DECLARED                    the broker's own default applies, which describe leaves out

# A comma-separated list means the same in any order.
function canonical(value,    parts, count, i, j, swap, joined) {
  count = split(value, parts, ",")
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && parts[j - 1] > parts[j]; j--) { swap = parts[j]; parts[j] = parts[j - 1]; parts[j - 1] = swap }
  for (i = 1; i <= count; i++) joined = joined (i > 1 ? "," : "") parts[i]
  return joined
}

function differs(field, declared, actual, repair) {
  print "differs", name, field, declared, (actual == "" ? "\"\"" : actual), repair
  same = 0
}

FNR == NR { order[++topics] = $1; partitions[$1] = $2; replication[$1] = $3; configs[$1] = $5; next }

/^Topic: .*PartitionCount: / {
  # The space after "Configs:" is missing when there are none.
  count = split($0, fields, "\t")
  name = substr(fields[1], 8)
  for (i = 2; i <= count; i++) {
    value = fields[i]
    sub(/^[A-Za-z]+: ?/, "", value)
    if (fields[i] ~ /^PartitionCount:/) live_partitions[name] = value + 0
    if (fields[i] ~ /^ReplicationFactor:/) live_replication[name] = value + 0
    if (fields[i] ~ /^Configs:/) {
      # A part without "=" goes on with the value of the part before it: cleanup.policy=compact,delete
      pairs = split(value, pair, ",")
      for (j = 1; j <= pairs; j++) {
        at = index(pair[j], "=")
        if (at) { key = substr(pair[j], 1, at - 1); live[name, key] = substr(pair[j], at + 1) }
        else live[name, key] = live[name, key] "," pair[j]
      }
    }
  }
}

END {
  for (t = 1; t <= topics; t++) {
    name = order[t]
    if (!(name in live_partitions)) { print "create", name; continue }
    same = 1
    if (live_partitions[name] != partitions[name])
      differs("partitions", partitions[name], live_partitions[name], live_partitions[name] < partitions[name] ? "partitions" : "none")
    if (live_replication[name] != replication[name])
      differs("replicationFactor", replication[name], live_replication[name], "none")
    pairs = split(configs[name], pair, ";")
    for (j = 1; j <= pairs; j++) {
      at = index(pair[j], "=")
      key = substr(pair[j], 1, at - 1)
      value = substr(pair[j], at + 1)
      if (!((name, key) in live)) { print "unshown", name, key, value; same = 0 }
      else if (canonical(live[name, key]) != canonical(value)) differs(key, value, live[name, key], "config")
    }
    if (same) print "equal", name
  }
}
