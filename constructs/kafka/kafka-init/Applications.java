import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterClientQuotasOptions;
import org.apache.kafka.clients.admin.DescribeClientQuotasOptions;
import org.apache.kafka.clients.admin.AlterUserScramCredentialsOptions;
import org.apache.kafka.clients.admin.CreateAclsOptions;
import org.apache.kafka.clients.admin.DeleteAclsOptions;
import org.apache.kafka.clients.admin.DeleteAclsResult;
import org.apache.kafka.clients.admin.DescribeAclsOptions;
import org.apache.kafka.clients.admin.DescribeUserScramCredentialsOptions;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.admin.UserScramCredentialsDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.errors.ResourceNotFoundException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;

/**
 * Provisions the declared applications: a SCRAM-SHA-512 user for each that has a password, its ACLs and its quotas. Removes users of the
 * platform that are no longer declared, and the passwords of those that authenticate with a certificate now. Never changes users, ACLs and quotas without the platform's mark.
 *
 * <p>Kafka does not return passwords, so they cannot be compared. Every run sets the passwords of all applications in one request.
 * Connected applications are not affected.
 */
final class Applications {
  private static final int CALL_TIMEOUT_MS = 30_000;

  /** 8,192 iterations of the 4,096 to 16,384 that Kafka allows. Clients compute as many at login. */
  private static final ScramCredentialInfo SCRAM = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8_192);

  /** The users with a password, the ACLs and the quotas of the cluster. */
  private record Live(
      Map<String, UserScramCredentialsDescription> users, Set<AclBinding> acls, Map<String, Map<String, Double>> quotas) {}

  /** Kafka's answer to one part of a change. */
  private record Answer(String resource, KafkaFuture<?> future) {}

  private final Sidecar sidecar;
  private final Map<String, Application> declared = new LinkedHashMap<>();
  private final Map<String, String> passwords = new HashMap<>();
  private Admin admin;

  /** Reads the passwords: the folder has a file for each application, named after it. */
  Applications(Sidecar sidecar, List<Application> applications, Path passwordsFolder) {
    this.sidecar = sidecar;
    for (Application application : applications) {
      declared.put(application.name(), application);
      if (application.hasPassword()) {
        passwords.put(application.name(), readPassword(passwordsFolder.resolve(application.name())));
      }
    }
  }

  private static String readPassword(Path file) {
    String password;
    try {
      password = Files.readString(file).replaceFirst("\\R$", "");
    } catch (IOException e) {
      throw new Sidecar.Exit(Sidecar.MISCONFIGURED, "cannot read password file " + file + ": " + e);
    }
    if (password.isEmpty() || password.contains("\n")) {
      throw new Sidecar.Exit(Sidecar.MISCONFIGURED, "password file " + file + " must contain the password in one line, and nothing else");
    }
    return password;
  }

  void provision(Admin client) throws InterruptedException {
    admin = client;
    Live before = sidecar.retry("describing the applications", this::describe);
    Set<String> marked = before.acls.stream().filter(Application::isMark).map(Application::userOf).collect(Collectors.toSet());
    List<Application> own = declared.values().stream()
        .filter(application -> marked.contains(application.name()) || !isUnmanaged(application, before))
        .toList();
    Set<String> users = own.stream().filter(Application::hasPassword).map(Application::name).collect(Collectors.toSet());
    List<String> removed = marked.stream().filter(user -> !declared.containsKey(user)).sorted().toList();
    List<String> withoutPassword = own.stream().filter(application -> !application.hasPassword()).map(Application::name).toList();
    List<String> former = Stream.concat(removed.stream(), withoutPassword.stream()).filter(before.users::containsKey).toList();

    Set<AclBinding> wanted = own.stream().flatMap(application -> application.acls().stream()).collect(Collectors.toSet());
    Set<AclBinding> absent = select(wanted, acl -> !before.acls.contains(acl));
    Set<AclBinding> surplus = select(before.acls, acl -> marked.contains(Application.userOf(acl)) && !wanted.contains(acl));
    Set<String> changeable = own.stream().map(Application::name).collect(Collectors.toSet());
    changeable.addAll(removed);
    Map<String, Map<String, Double>> quotas = own.stream().collect(Collectors.toMap(Application::name, Application::quotas));
    List<ClientQuotaAlteration> limits = Quotas.changes(changeable, before.quotas, quotas);
    // The mark is created first and deleted last, so that an interrupted run leaves marked users only.
    create(select(absent, Application::isMark));
    delete(select(surplus, acl -> !Application.isMark(acl)));
    alterUsers(users, former, before);
    alterQuotas(limits);
    create(select(absent, acl -> !Application.isMark(acl)));
    delete(select(surplus, Application::isMark));
    if (!absent.isEmpty() || !surplus.isEmpty() || !limits.isEmpty() || !former.isEmpty() || !before.users.keySet().containsAll(users)) {
      verify(users, former, absent, surplus, live -> Quotas.changes(changeable, live.quotas, quotas));
    }

    for (Application application : own) {
      String name = application.name();
      Set<AclBinding> granted = select(absent, acl -> Application.userOf(acl).equals(name));
      Set<AclBinding> revoked = select(surplus, acl -> Application.userOf(acl).equals(name));
      logChange("granted", name, granted, "declared");
      logChange("revoked", name, revoked, "no longer declared");
      boolean limited = logQuotas(name, limits, before);
      boolean replaced = !application.hasPassword() && former.contains(name);
      if (replaced) {
        sidecar.permit("revoked", Application.resource(name), "its password", "it authenticates with a certificate");
      }
      boolean same = granted.isEmpty() && revoked.isEmpty() && !limited && !replaced;
      boolean known = application.hasPassword() ? before.users.containsKey(name) : marked.contains(name);
      sidecar.settle(!known ? "created" : same ? "unchanged" : "reconciled", Application.resource(name));
    }
    for (String name : removed) {
      Set<AclBinding> revoked = select(surplus, acl -> Application.userOf(acl).equals(name) && !Application.isMark(acl));
      sidecar.permit("revoked", Application.resource(name),
          revoked.isEmpty() ? "no ACLs, only the user" : Application.describe(revoked), "the application is no longer declared");
    }
  }

  /** Logs the changed quotas of an application. Returns whether there are any. */
  private boolean logQuotas(String name, List<ClientQuotaAlteration> changes, Live before) {
    List<ClientQuotaAlteration.Op> own = changes.stream().filter(change -> Quotas.userOf(change).equals(name))
        .flatMap(change -> change.ops().stream()).toList();
    for (ClientQuotaAlteration.Op quota : own) {
      sidecar.change(Application.resource(name), "quota " + quota.key(), Quotas.text(quota.value()),
          Quotas.text(before.quotas.getOrDefault(name, Map.of()).get(quota.key())));
    }
    return !own.isEmpty();
  }

  private void logChange(String event, String name, Set<AclBinding> acls, String reason) {
    String permissions = Application.describe(select(acls, acl -> !Application.isMark(acl)));
    if (!permissions.isEmpty()) {
      sidecar.permit(event, Application.resource(name), permissions, reason);
    }
  }

  /** Returns whether the cluster has an unmanaged user or ACLs of this name, and logs them as drift. */
  private boolean isUnmanaged(Application application, Live live) {
    String name = application.name();
    String resource = Application.resource(name);
    String managed = "managed by " + sidecar.variable("GROUNDWORK_SIDECAR");
    boolean user = live.users.containsKey(name);
    Set<AclBinding> permissions = select(live.acls, acl -> Application.userOf(acl).equals(name) && !application.permissions().contains(acl));
    if (user) {
      sidecar.drift(resource, "user", managed, "unmanaged");
    }
    if (!permissions.isEmpty()) {
      sidecar.drift(resource, "ACLs", managed, "unmanaged: " + Application.describe(permissions));
    }
    if (!user && permissions.isEmpty()) {
      return false;
    }
    sidecar.conclude(resource, "fail", "the cluster has an unmanaged user or ACLs of this name: remove them, or rename the application");
    return true;
  }

  private static Set<AclBinding> select(Set<AclBinding> acls, Predicate<AclBinding> wanted) {
    return acls.stream().filter(wanted)
        .sorted(Comparator.comparing(AclBinding::toString))
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private Live describe() throws Sidecar.NotYet, InterruptedException {
    KafkaFuture<Collection<AclBinding>> acls = admin.describeAcls(
        AclBindingFilter.ANY, new DescribeAclsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
    KafkaFuture<Map<String, UserScramCredentialsDescription>> users = admin.describeUserScramCredentials(
        List.of(), new DescribeUserScramCredentialsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).all();
    KafkaFuture<Map<String, Map<String, Double>>> quotas = Quotas.describe(admin, new DescribeClientQuotasOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS)));
    try {
      return new Live(users.get(), acls.get().stream().filter(Application::isOfUser).collect(Collectors.toSet()), quotas.get());
    } catch (ExecutionException e) {
      Throwable error = Refusals.unwrap(e);
      Refusals.finishOn(error, "Describe", "the cluster");
      throw new Sidecar.NotYet(Refusals.text(error));
    }
  }

  private void create(Set<AclBinding> acls) throws InterruptedException {
    write("creating ACLs", acls, () -> {
      Map<AclBinding, KafkaFuture<Void>> results = admin.createAcls(
          acls, new CreateAclsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
      return acls.stream().map(acl -> new Answer(Application.userOf(acl), results.get(acl))).toList();
    });
  }

  private void delete(Set<AclBinding> acls) throws InterruptedException {
    write("deleting ACLs", acls, () -> {
      Map<AclBindingFilter, KafkaFuture<DeleteAclsResult.FilterResults>> results = admin.deleteAcls(
          acls.stream().map(AclBinding::toFilter).toList(),
          new DeleteAclsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
      return acls.stream().map(acl -> new Answer(Application.userOf(acl), results.get(acl.toFilter()))).toList();
    });
  }

  /** Sets the passwords of managed users, and removes the former ones, whose applications are no longer declared or have a certificate. */
  private void alterUsers(Set<String> users, List<String> former, Live before) throws InterruptedException {
    List<UserScramCredentialAlteration> changes = new ArrayList<>();
    for (String name : users) {
      changes.add(new UserScramCredentialUpsertion(name, SCRAM, passwords.get(name)));
    }
    for (String name : former) {
      before.users.get(name).credentialInfos().forEach(info -> changes.add(new UserScramCredentialDeletion(name, info.mechanism())));
    }
    write("setting passwords", changes, () -> admin.alterUserScramCredentials(
        changes, new AlterUserScramCredentialsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values()
        .entrySet().stream().map(result -> new Answer(result.getKey(), result.getValue())).toList());
  }

  private void alterQuotas(List<ClientQuotaAlteration> changes) throws InterruptedException {
    write("setting quotas", changes, () -> admin.alterClientQuotas(
        changes, new AlterClientQuotasOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values()
        .entrySet().stream().map(result -> new Answer(result.getKey().entries().get(ClientQuotaEntity.USER), result.getValue())).toList());
  }

  /** Retries a change until all of it succeeds or a part is rejected. All changes are idempotent. */
  private void write(String what, Collection<?> changes, Supplier<List<Answer>> call) throws InterruptedException {
    if (changes.isEmpty()) {
      return;
    }
    sidecar.retry(what, () -> {
      for (Answer answer : call.get()) {
        try {
          answer.future.get();
        } catch (ExecutionException e) {
          Throwable error = Refusals.unwrap(e);
          // Another run has removed the user.
          if (!(error instanceof ResourceNotFoundException)) {
            Refusals.finishOn(error, "Alter", Application.resource(answer.resource));
            throw new Sidecar.NotYet(Application.resource(answer.resource) + ": " + Refusals.text(error));
          }
        }
      }
      return null;
    });
  }

  private void verify(Set<String> users, List<String> former, Set<AclBinding> absent, Set<AclBinding> surplus,
      Function<Live, List<ClientQuotaAlteration>> limits) throws InterruptedException {
    sidecar.verify("verifying the applications", () -> {
      Live live = describe();
      Set<String> pending = new TreeSet<>(users);
      pending.removeAll(live.users.keySet());
      former.stream().filter(live.users::containsKey).forEach(pending::add);
      absent.stream().filter(acl -> !live.acls.contains(acl)).map(Application::userOf).forEach(pending::add);
      limits.apply(live).stream().map(Quotas::userOf).forEach(pending::add);
      surplus.stream().filter(live.acls::contains).map(Application::userOf).forEach(pending::add);
      return pending.isEmpty() ? null : pending.stream().map(Application::resource).collect(Collectors.joining(", "));
    });
  }
}
