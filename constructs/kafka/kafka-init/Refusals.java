import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnacceptableCredentialException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/** Collects permanent failures, so that one run reports all of them. */
final class Refusals {
  private static final int NAMED = 5;

  /** Errors for which a retry does not help. */
  private static final Set<Class<?>> REJECTIONS = Set.of(
      InvalidConfigurationException.class, InvalidTopicException.class, InvalidPartitionsException.class,
      InvalidReplicationFactorException.class, InvalidRequestException.class, PolicyViolationException.class,
      UnacceptableCredentialException.class);

  private record Cause(int code, String text) {}

  private final Map<Cause, List<Topic>> causes = new LinkedHashMap<>();

  /**
   * Records a permanent failure. All others may succeed later.
   *
   * @param permission the permission that the call needs
   * @return whether the failure is permanent
   */
  boolean add(Topic topic, Throwable error, String permission) {
    Cause cause = causeOf(error, permission);
    if (cause != null) {
      causes.computeIfAbsent(cause, key -> new ArrayList<>()).add(topic);
    }
    return cause != null;
  }

  private static Cause causeOf(Throwable error, String permission) {
    if (error instanceof AuthorizationException) {
      return new Cause(Sidecar.NOT_PERMITTED, "not authorized: the sidecar needs " + permission + " on %s");
    }
    if (error instanceof AuthenticationException) {
      return new Cause(Sidecar.NOT_PERMITTED, "not authenticated: " + text(root(error)));
    }
    if (error instanceof UnsupportedVersionException) {
      return new Cause(Sidecar.MISCONFIGURED, "the brokers are older than this sidecar: " + text(error));
    }
    if (error instanceof SecurityDisabledException) {
      return new Cause(Sidecar.MISCONFIGURED, "the brokers have no authorizer, so they have no ACLs: secure the cluster first");
    }
    return REJECTIONS.contains(error.getClass()) ? new Cause(Sidecar.REJECTED, "Kafka rejects %s: " + text(error)) : null;
  }

  Set<Topic> topics() {
    return causes.values().stream().flatMap(List::stream).collect(Collectors.toSet());
  }

  /** Ends the sidecar if there are failures. Missing permissions take precedence, since they may cause the others. */
  void finish() {
    if (causes.isEmpty()) {
      return;
    }
    int code = causes.keySet().stream().mapToInt(Cause::code).max().orElseThrow();
    List<String> reasons = new ArrayList<>();
    causes.forEach((cause, topics) -> reasons.add(cause.text.replace("%s", describe(topics))));
    throw new Sidecar.Exit(code, String.join("; ", reasons));
  }

  /** Ends the sidecar if a request to the cluster about a resource failed permanently. */
  static void finishOn(Throwable error, String permission, String resource) {
    finishOn(error, permission, "the cluster", resource);
  }

  /** @param permittedOn what the permission has to be for */
  static void finishOn(Throwable error, String permission, String permittedOn, String resource) {
    Cause cause = causeOf(error, permission);
    if (cause != null) {
      throw new Sidecar.Exit(cause.code, cause.text.replace("%s", cause.code == Sidecar.NOT_PERMITTED ? permittedOn : resource));
    }
  }

  /** Lists the first names, and how many more there are. */
  static String describe(Collection<Topic> topics) {
    String first = topics.stream().limit(NAMED).map(Topic::name).collect(Collectors.joining(", "));
    return (topics.size() == 1 ? "topic " : "topics ") + first
        + (topics.size() > NAMED ? " and " + (topics.size() - NAMED) + " more" : "");
  }

  /** Returns the cause: the client wraps errors that it considers retriable. */
  static Throwable unwrap(Throwable error) {
    boolean wrapper = error instanceof ExecutionException || error instanceof TimeoutException;
    return wrapper && error.getCause() != null ? unwrap(error.getCause()) : error;
  }

  /** Returns the root cause of a failed handshake. */
  private static Throwable root(Throwable error) {
    return error.getCause() == null ? error : root(error.getCause());
  }

  static String text(Throwable error) {
    return error.getMessage() == null || error.getMessage().isEmpty() ? error.getClass().getSimpleName() : error.getMessage();
  }
}
