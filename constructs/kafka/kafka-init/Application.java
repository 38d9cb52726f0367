import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.SecurityUtils;

/**
 * A declared application: a user of the cluster, its ACLs and its quotas. It authenticates with a password or a certificate.
 */
record Application(String name, boolean hasPassword, Set<AclBinding> permissions, Map<String, Double> quotas) {
  private static final String PRINCIPAL = "User:";
  private static final String ANY_HOST = "*";

  /**
   * Marks a user in the cluster as created by the platform, to distinguish it from unmanaged users. The ACL grants nothing, since no
   * consumer group has this name.
   */
  private static final ResourcePattern MARK = new ResourcePattern(ResourceType.GROUP, "groundwork.application", PatternType.LITERAL);

  /** The resources that a monitor may describe. It cannot read records. */
  private static final List<ResourceType> MONITORED = List.of(ResourceType.TOPIC, ResourceType.GROUP);

  /** Reads APPLICATIONS_FILE, which declared-applications.ts renders. */
  static List<Application> read(Path file) throws IOException {
    return of((Map<?, ?>) Json.read(file));
  }

  /** Returns the applications and monitors of such a file. */
  static List<Application> of(Map<?, ?> declared) {
    List<Application> applications = new ArrayList<>();
    for (Object application : (List<?>) declared.get("applications")) {
      applications.add(application((Map<?, ?>) application));
    }
    for (Object name : (List<?>) declared.get("monitors")) {
      applications.add(monitor((String) name));
    }
    return applications;
  }

  private static Application application(Map<?, ?> declared) {
    String name = (String) declared.get("name");
    Set<AclBinding> permissions = new LinkedHashSet<>();
    for (Object acl : (List<?>) declared.get("acls")) {
      Map<?, ?> fields = (Map<?, ?>) acl;
      ResourceType type = ResourceType.valueOf(((String) fields.get("resource")).toUpperCase(Locale.ROOT));
      for (Object operation : (List<?>) fields.get("operations")) {
        permissions.add(allow(name, pattern(type, (String) fields.get("name")), AclOperation.valueOf((String) operation)));
      }
    }
    Map<String, Double> quotas = new TreeMap<>();
    if (declared.get("quotas") != null) {
      // Texts: JSON's reader has only small numbers.
      ((Map<?, ?>) declared.get("quotas")).forEach((key, value) -> quotas.put((String) key, Double.valueOf((String) value)));
    }
    return new Application(name, !"certificate".equals(declared.get("authentication")), permissions, quotas);
  }

  private static Application monitor(String name) {
    Set<AclBinding> permissions = new LinkedHashSet<>();
    MONITORED.forEach(type -> permissions.add(allow(name, pattern(type, "*"), AclOperation.DESCRIBE)));
    return new Application(name, false, permissions, Map.of());
  }

  /** A trailing star is a prefix. A star alone is Kafka's own wildcard. */
  private static ResourcePattern pattern(ResourceType type, String text) {
    boolean prefix = text.length() > 1 && text.endsWith("*");
    return prefix
        ? new ResourcePattern(type, text.substring(0, text.length() - 1), PatternType.PREFIXED)
        : new ResourcePattern(type, text, PatternType.LITERAL);
  }

  private static AclBinding allow(String name, ResourcePattern pattern, AclOperation operation) {
    return new AclBinding(pattern, new AccessControlEntry(principal(name), ANY_HOST, operation, AclPermissionType.ALLOW));
  }

  /** Returns its permissions and its mark. */
  Set<AclBinding> acls() {
    Set<AclBinding> all = new LinkedHashSet<>(permissions);
    all.add(allow(name, MARK, AclOperation.DESCRIBE));
    return all;
  }

  /** Returns whether it creates topics of this name itself, such as Kafka Streams. That it may create any topic says nothing. */
  boolean creates(String topic) {
    return permissions.stream()
        .filter(acl -> acl.entry().operation() == AclOperation.CREATE)
        .map(AclBinding::pattern)
        .filter(pattern -> pattern.resourceType() == ResourceType.TOPIC)
        .anyMatch(pattern -> pattern.patternType() == PatternType.PREFIXED ? topic.startsWith(pattern.name()) : topic.equals(pattern.name()));
  }

  /** Returns the name in the log. */
  static String resource(String name) {
    return "application/" + name;
  }

  static boolean isMark(AclBinding acl) {
    return acl.pattern().equals(MARK);
  }

  /** Returns the principal of a user. */
  static String principal(String user) {
    return PRINCIPAL + user;
  }

  /** Returns the user of a principal, or the whole principal if it is another kind. */
  static String nameOf(String principal) {
    return principal.startsWith(PRINCIPAL) ? principal.substring(PRINCIPAL.length()) : principal;
  }

  static boolean isOfUser(AclBinding acl) {
    return acl.entry().principal().startsWith(PRINCIPAL);
  }

  /** Returns the user of an ACL. */
  static String userOf(AclBinding acl) {
    return acl.entry().principal().substring(PRINCIPAL.length());
  }

  /** Describes ACLs, such as "Read, Describe on topic orders; Read on group orders-*". */
  static String describe(Collection<AclBinding> acls) {
    Map<String, Set<String>> operations = new LinkedHashMap<>();
    for (AclBinding acl : acls) {
      AccessControlEntry entry = acl.entry();
      ResourcePattern pattern = acl.pattern();
      String operation = (entry.permissionType() == AclPermissionType.DENY ? "Deny " : "") + SecurityUtils.operationName(entry.operation());
      String on = pattern.resourceType().name().toLowerCase().replace('_', ' ') + " " + pattern.name()
          + (pattern.patternType() == PatternType.PREFIXED ? "*" : "")
          + (entry.host().equals(ANY_HOST) ? "" : " from " + entry.host());
      operations.computeIfAbsent(on, key -> new LinkedHashSet<>()).add(operation);
    }
    return operations.entrySet().stream()
        .map(entry -> String.join(", ", entry.getValue()) + " on " + entry.getKey())
        .collect(Collectors.joining("; "));
  }
}
