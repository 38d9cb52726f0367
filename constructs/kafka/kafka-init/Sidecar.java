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
import java.util.function.LongSupplier;

/**
 * The counterpart of lib.sh for Java, with the same messages: structured log, facts for the last line, retry with exponential backoff,
 * exit. The parent supervise.sh validates the variables and writes the first and the last line of the log.
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

  /** A temporary failure: retry. */
  @SuppressWarnings("serial")
  static final class NotYet extends Exception {
    NotYet(String reason) {
      super(reason);
    }
  }

  /** A step that may need several attempts. */
  interface Attempt<T> {
    T make() throws NotYet, InterruptedException;
  }

  private static final long FIRST_POLL_MS = 20;
  private static final long LAST_POLL_MS = 640;

  private final Map<String, String> env;
  private final PrintStream out;
  private final LongSupplier nanoTime;
  private final ByteArrayOutputStream buffer = new ByteArrayOutputStream();
  private final OutputStream facts;
  private final long initialBackoffMs;
  private final long maxBackoffMs;
  private final boolean jitter;
  private final long deadlineMs;
  private final Set<String> drifted = new LinkedHashSet<>();

  private long deadlineAtNs;
  private long ceilingMs;

  /** @param nanoTime the clock of the deadline, in nanoseconds */
  Sidecar(Map<String, String> env, PrintStream out, LongSupplier nanoTime) throws IOException {
    this.env = env;
    this.out = out;
    this.nanoTime = nanoTime;
    // Each fact is appended in one write, so that none is lost if the process dies.
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
      throw new Exit(MISCONFIGURED, name + " is \"" + value + "\": it must be a whole number");
    }
  }

  /** Adds a line to the log: a JSON object with alternating keys and values. Lines are written before the sidecar waits. */
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
    buffer.writeBytes(line.append("}\n").toString().getBytes(StandardCharsets.UTF_8));
  }

  /** Writes all lines at once: a thousand writes take seconds beside busy brokers. */
  void flush() {
    byte[] lines = buffer.toByteArray();
    out.write(lines, 0, lines.length);
    out.flush();
    buffer.reset();
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

  /** Records a fact for the last line of the log. */
  void record(String fact) {
    try {
      facts.write((oneLine(fact) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Retries until the attempt succeeds. Waits a random part ("full jitter", so that sidecars that failed together do not retry together)
   * of a ceiling that doubles up to a cap. Gives up at the deadline.
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
          throw new Exit(UNAVAILABLE, what + ": timed out after " + deadlineMs / 1000 + "s and " + number
              + (number == 1 ? " attempt: " : " attempts: ") + notYet.getMessage());
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
   * Polls until the attempt returns null, which means that nothing is pending. Brokers lag behind the controller for a moment, which does
   * not count as a failed attempt.
   */
  void verify(String what, Attempt<String> pending) throws InterruptedException {
    retry(what, () -> {
      for (long waitMs = FIRST_POLL_MS; ; waitMs *= 2) {
        String names = pending.make();
        if (names == null) {
          return null;
        }
        if (waitMs > LAST_POLL_MS) {
          throw new NotYet("not visible yet: " + names);
        }
        Thread.sleep(waitMs);
      }
    });
  }

  /** Restarts deadline and backoff after progress. */
  void progress() {
    deadlineAtNs = nanoTime.getAsLong() + deadlineMs * 1_000_000;
    ceilingMs = initialBackoffMs;
  }

  private long remainingMs() {
    return (deadlineAtNs - nanoTime.getAsLong()) / 1_000_000;
  }

  /** Returns the timeout of a call: until the deadline, but at least a second, so that the last call can be answered. */
  int callTimeoutMs(int atMostMs) {
    return (int) Math.max(1_000, Math.min(atMostMs, remainingMs()));
  }

  /** Logs a differing field. */
  void drift(String resource, String field, String declared, String actual) {
    log("warn", "drift", "resource", resource, "field", field, "declared", declared, "actual", actual);
  }

  /** Logs a field whose declaration changed, and which is set to it. */
  void change(String resource, String field, String declared, String actual) {
    log("info", "change", "resource", resource, "field", field, "declared", declared, "actual", actual);
  }

  /** Records that a resource is as declared. The outcome is created, unchanged or reconciled. */
  void settle(String outcome, String resource) {
    record(outcome + " " + resource);
    log("info", outcome, "resource", resource);
  }

  /** Records that a resource still differs. The policy is its onDrift. */
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

  /** Records that permissions were granted or revoked. */
  void permit(String event, String resource, String permissions, String reason) {
    record(event + " " + resource);
    log("info", event, "resource", resource, "rights", permissions, "reason", reason);
  }

  /** Ends the run, with exit code 73 if a resource differs. */
  void finish() {
    if (!drifted.isEmpty()) {
      throw new Exit(DIFFERS, "drift from the declaration: " + String.join(" ", drifted));
    }
  }

  @Override
  public void close() throws IOException {
    flush();
    facts.close();
  }
}
