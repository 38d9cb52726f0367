import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What lib.sh is to a sidecar in sh, with the same words: structured log, facts for the last line, retry with exponential
 * backoff, exit. supervise.sh is the parent, has looked at the variables, and writes the first and the last line of the log.
 */
final class Sidecar implements AutoCloseable {
  /** Exit codes, after sysexits.h. */
  static final int REJECTED = 65;
  static final int UNAVAILABLE = 69;
  static final int DIFFERS = 73;
  static final int NOT_PERMITTED = 77;
  static final int MISCONFIGURED = 78;

  /** Ends the sidecar. */
  @SuppressWarnings("serial")
  static final class Exit extends RuntimeException {
    final int code;

    Exit(int code, String reason) {
      super(reason);
      this.code = code;
    }
  }

  /** Not yet: try again. */
  @SuppressWarnings("serial")
  static final class NotYet extends Exception {
    NotYet(String reason) {
      super(reason);
    }
  }

  /** What may have to be tried several times. */
  interface Attempt<T> {
    T make() throws NotYet, InterruptedException;
  }

  private static final long FIRST_LOOK_MS = 20;
  private static final long LAST_LOOK_MS = 640;

  private final Map<String, String> env;
  private final PrintStream out;
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  private final OutputStream facts;
  private final long initialBackoffMs;
  private final long maxBackoffMs;
  private final boolean jitter;
  private final long deadlineMs;
  private final Set<String> drifted = new LinkedHashSet<>();

  private long deadlineAtNs;
  private long ceilingMs;

  Sidecar(Map<String, String> env, PrintStream out) throws IOException {
    this.env = env;
    this.out = out;
    // Appended to, and every fact in one write: none is lost with the process.
    facts = new FileOutputStream(variable("GROUNDWORK_RUN_DIR") + "/record", true);
    initialBackoffMs = number("GROUNDWORK_RETRY_INITIAL_MS");
    maxBackoffMs = number("GROUNDWORK_RETRY_MAX_MS");
    jitter = variable("GROUNDWORK_RETRY_JITTER").equals("full");
    deadlineMs = number("GROUNDWORK_DEADLINE_SECONDS") * 1000L;
  }

  boolean isSet(String name) {
    return !env.getOrDefault(name, "").isEmpty();
  }

  String variable(String name) {
    if (!isSet(name)) {
      throw new Exit(MISCONFIGURED, name + " is not set");
    }
    return env.get(name);
  }

  int number(String name) {
    String value = variable(name);
    try {
      return Integer.parseUnsignedInt(value);
    } catch (NumberFormatException e) {
      throw new Exit(MISCONFIGURED, name + " is \"" + value + "\": it has to be a whole number");
    }
  }

  /** One JSON object a line, of keys and values in turn; written when the sidecar is about to wait. */
  void log(String level, String event, Object... fields) {
    StringBuilder line = new StringBuilder("{\"ts\":");
    string(line, Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    line.append(",\"level\":");
    string(line, level);
    line.append(",\"sidecar\":");
    string(line, variable("GROUNDWORK_SIDECAR"));
    line.append(",\"event\":");
    string(line, event);
    for (int i = 0; i < fields.length; i += 2) {
      line.append(",\"").append(fields[i]).append("\":");
      if (fields[i + 1] instanceof Number) {
        line.append(fields[i + 1]);
      } else {
        string(line, String.valueOf(fields[i + 1]));
      }
    }
    said.writeBytes(line.append("}\n").toString().getBytes(StandardCharsets.UTF_8));
  }

  /** In one write: one for each of a thousand lines takes seconds beside brokers that are busy. */
  private void flush() {
    byte[] lines = said.toByteArray();
    out.write(lines, 0, lines.length);
    out.flush();
    said.reset();
  }

  private static void string(StringBuilder line, String value) {
    line.append('"');
    for (char c : oneLine(value).toCharArray()) {
      if (c == '"' || c == '\\') {
        line.append('\\');
      }
      if (!Character.isISOControl(c)) {
        line.append(c);
      }
    }
    line.append('"');
  }

  private static String oneLine(String value) {
    return value.replaceAll("[\n\r\t]", " ");
  }

  /** Notes a fact for the last line of the log. */
  void record(String fact) {
    try {
      facts.write((oneLine(fact) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Tries until it succeeds. Waits a random part ("full jitter", so that sidecars that failed together do not come back together)
   * of a ceiling that doubles up to a cap, and gives up at the deadline.
   */
  <T> T retry(String what, Attempt<T> attempt) throws InterruptedException {
    progress();
    for (int number = 1; ; number++) {
      flush();
      try {
        return attempt.make();
      } catch (NotYet notYet) {
        long remainingMs = remainingMs();
        if (remainingMs <= 0) {
          throw new Exit(UNAVAILABLE, what + ": not ready within " + deadlineMs / 1000 + "s, after " + number + " attempts: "
              + notYet.getMessage());
        }
        long delayMs = Math.min(remainingMs, jitter ? ThreadLocalRandom.current().nextLong(ceilingMs + 1) : ceilingMs);
        log("warn", "retry", "what", what, "attempt", number, "delay_ms", delayMs, "ceiling_ms", ceilingMs,
            "remaining_ms", remainingMs, "reason", notYet.getMessage());
        record("retry");
        flush();
        Thread.sleep(delayMs);
        ceilingMs = Math.min(ceilingMs * 2, maxBackoffMs);
      }
    }
  }

  /**
   * Looks until nothing is pending any more, which an answer of null says. A broker knows a moment after the controller what was
   * written: that is no failed attempt yet.
   */
  void verify(String what, Attempt<String> pending) throws InterruptedException {
    retry(what, () -> {
      for (long waitMs = FIRST_LOOK_MS; ; waitMs *= 2) {
        String names = pending.make();
        if (names == null) {
          return null;
        }
        if (waitMs > LAST_LOOK_MS) {
          throw new NotYet("not visible yet: " + names);
        }
        Thread.sleep(waitMs);
      }
    });
  }

  /** Starts deadline and backoff anew: what makes progress may go on. */
  void progress() {
    deadlineAtNs = System.nanoTime() + deadlineMs * 1_000_000;
    ceilingMs = initialBackoffMs;
  }

  private long remainingMs() {
    return (deadlineAtNs - System.nanoTime()) / 1_000_000;
  }

  /** The most that one call of an attempt may take: until the deadline, but not so little that the last one cannot be answered. */
  int callTimeoutMs(int atMostMs) {
    return (int) Math.max(1_000, Math.min(atMostMs, remainingMs()));
  }

  /** One line of the drift report. */
  void drift(String resource, String field, String declared, String actual) {
    log("warn", "drift", "resource", resource, "field", field, "declared", declared, "actual", actual);
  }

  /** The resource is as declared; the outcome is created, unchanged or reconciled. */
  void settle(String outcome, String resource) {
    record(outcome + " " + resource);
    log("info", outcome, "resource", resource);
  }

  /** The resource differs and stays so; the policy is its onDrift. */
  void conclude(String resource, String policy, String reason) {
    if (policy.equals("ignore")) {
      record("ignored " + resource);
      log("warn", "ignored", "resource", resource, "reason", reason);
    } else {
      drifted.add(resource);
      record("drifted " + resource);
      log("error", "drifted", "resource", resource, "reason", reason);
    }
  }

  /** Rights were granted or revoked. */
  void change(String event, String resource, String rights, String reason) {
    record(event + " " + resource);
    log("info", event, "resource", resource, "rights", rights, "reason", reason);
  }

  /** Ends the run; what differs decides how, after everything was looked at. */
  void finish() {
    if (!drifted.isEmpty()) {
      throw new Exit(DIFFERS, "differs from its declaration: " + String.join(" ", drifted));
    }
  }

  @Override
  public void close() throws IOException {
    flush();
    facts.close();
  }
}
