# Prints each failed test from jest's output, with the first and last lines of its message.
/^  ● / && !/Console$/ && !seen[$0]++ { print; count = 0; wanted = 1; next }
/^(PASS|FAIL|  ●|Test Suites:)/ || /^ *>? +[0-9]+ \|/ { tell() }
wanted && NF { lines[count++] = $0 }
END { tell() }

function tell(i) {
  for (i = 0; wanted && i < count; i++) {
    if (i == 6 && count > 22) {
      print "    [...]"
      i = count - 16
    }
    print lines[i]
  }
  wanted = 0
}
