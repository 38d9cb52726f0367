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
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
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

/**
 * Brings the declared applications about: a SCRAM-SHA-512 user for each that has a password, its ACLs, and none of a user that the
 * platform made and that is declared no more. Users and ACLs without the platform's mark are others': they are looked at, never touched.
 *
 * <p>Kafka gives no password back, so there is nothing to compare with: every run sets the passwords of all applications, in one
 * request. What was changed, here or there, is right again after it, and an application that has logged in notices nothing.
 */
final class Applications {
  private static final int CALL_TIMEOUT_MS = 30_000;

  /** Times that a password is hashed, of the 4,096 to 16,384 that Kafka takes; a client does as much when it logs in. */
  private static final ScramCredentialInfo SCRAM = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8_192);

  /** The users with a password, and the ACLs, that the cluster has. */
  private record Live(Map<String, UserScramCredentialsDescription> users, Set<AclBinding> acls) {}

  /** Part of a change for which Kafka has an answer of its own: what it is about, and the answer. */
  private record Answer(String resource, KafkaFuture<?> future) {}

  private final Sidecar sidecar;
  private final Map<String, Application> declared = new LinkedHashMap<>();
  private final Map<String, String> passwords = new HashMap<>();
  private Admin admin;

  /** Reads the passwords: a file in the folder for each application, named after it. */
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
      throw new Sidecar.Exit(Sidecar.MISCONFIGURED, "the password in " + file + " cannot be read: " + e);
    }
    if (password.isEmpty() || password.contains("\n")) {
      throw new Sidecar.Exit(Sidecar.MISCONFIGURED, file + " has to have a password in one line, and nothing else");
    }
    return password;
  }

  void provision(Admin client) throws InterruptedException {
    admin = client;
    Live before = sidecar.retry("describing the applications", this::describe);
    Set<String> marked = before.acls.stream().filter(Application::isMark).map(Application::userOf).collect(Collectors.toSet());
    List<Application> own = declared.values().stream()
        .filter(application -> marked.contains(application.name()) || !madeByOthers(application, before))
        .toList();
    Set<String> users = own.stream().filter(Application::hasPassword).map(Application::name).collect(Collectors.toSet());
    List<String> gone = marked.stream().filter(user -> !declared.containsKey(user)).sorted().toList();

    Set<AclBinding> wanted = own.stream().flatMap(application -> application.acls().stream()).collect(Collectors.toSet());
    Set<AclBinding> absent = select(wanted, acl -> !before.acls.contains(acl));
    Set<AclBinding> surplus = select(before.acls, acl -> marked.contains(Application.userOf(acl)) && !wanted.contains(acl));
    // The mark comes first and goes last, so that what a run leaves half done is still known to be the platform's.
    create(select(absent, Application::isMark));
    delete(select(surplus, acl -> !Application.isMark(acl)));
    alterUsers(users, gone, before);
    create(select(absent, acl -> !Application.isMark(acl)));
    delete(select(surplus, Application::isMark));
    if (!absent.isEmpty() || !surplus.isEmpty() || !before.users.keySet().containsAll(users)) {
      verify(users, gone, absent, surplus);
    }

    for (Application application : own) {
      String name = application.name();
      Set<AclBinding> granted = select(absent, acl -> Application.userOf(acl).equals(name));
      Set<AclBinding> revoked = select(surplus, acl -> Application.userOf(acl).equals(name));
      tell("granted", name, granted, "declared");
      tell("revoked", name, revoked, "not declared any more");
      boolean same = granted.isEmpty() && revoked.isEmpty();
      boolean known = application.hasPassword() ? before.users.containsKey(name) : marked.contains(name);
      sidecar.settle(!known ? "created" : same ? "unchanged" : "reconciled", Application.resource(name));
    }
    for (String name : gone) {
      Set<AclBinding> revoked = select(surplus, acl -> Application.userOf(acl).equals(name) && !Application.isMark(acl));
      sidecar.change("revoked", Application.resource(name),
          revoked.isEmpty() ? "none but its user" : Application.describe(revoked), "the application is not declared any more");
    }
  }

  private void tell(String event, String name, Set<AclBinding> acls, String reason) {
    String rights = Application.describe(select(acls, acl -> !Application.isMark(acl)));
    if (!rights.isEmpty()) {
      sidecar.change(event, Application.resource(name), rights, reason);
    }
  }

  /** Whether the cluster has a user of this name, or rights of one, that the platform did not make. Says so. */
  private boolean madeByOthers(Application application, Live live) {
    String name = application.name();
    String resource = Application.resource(name);
    String declaredAs = "made by " + sidecar.variable("GROUNDWORK_SIDECAR");
    boolean user = live.users.containsKey(name);
    Set<AclBinding> rights = select(live.acls, acl -> Application.userOf(acl).equals(name) && !application.rights().contains(acl));
    if (user) {
      sidecar.drift(resource, "user", declaredAs, "made by someone else");
    }
    if (!rights.isEmpty()) {
      sidecar.drift(resource, "rights", declaredAs, "made by someone else: " + Application.describe(rights));
    }
    if (!user && rights.isEmpty()) {
      return false;
    }
    sidecar.conclude(resource, "fail", "the cluster has it from someone else: remove it there, or give the application another name");
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
    try {
      return new Live(users.get(), acls.get().stream().filter(Application::isOfUser).collect(Collectors.toSet()));
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

  /** Sets the password of every user that is the platform's, and removes those of applications that are gone. */
  private void alterUsers(Set<String> users, List<String> gone, Live before) throws InterruptedException {
    List<UserScramCredentialAlteration> changes = new ArrayList<>();
    for (String name : users) {
      changes.add(new UserScramCredentialUpsertion(name, SCRAM, passwords.get(name)));
    }
    for (String name : gone) {
      UserScramCredentialsDescription user = before.users.get(name);
      if (user != null) {
        user.credentialInfos().forEach(info -> changes.add(new UserScramCredentialDeletion(name, info.mechanism())));
      }
    }
    write("setting passwords", changes, () -> admin.alterUserScramCredentials(
        changes, new AlterUserScramCredentialsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values()
        .entrySet().stream().map(result -> new Answer(result.getKey(), result.getValue())).toList());
  }

  /** Makes a change again until all of it is made or some of it is refused for good. None does harm a second time. */
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
          // A user that another run has removed by now.
          if (!(error instanceof ResourceNotFoundException)) {
            Refusals.finishOn(error, "Alter", Application.resource(answer.resource));
            throw new Sidecar.NotYet(Application.resource(answer.resource) + ": " + Refusals.text(error));
          }
        }
      }
      return null;
    });
  }

  private void verify(Set<String> users, List<String> gone, Set<AclBinding> absent, Set<AclBinding> surplus) throws InterruptedException {
    sidecar.verify("verifying the applications", () -> {
      Live live = describe();
      Set<String> pending = new TreeSet<>(users);
      pending.removeAll(live.users.keySet());
      gone.stream().filter(live.users::containsKey).forEach(pending::add);
      absent.stream().filter(acl -> !live.acls.contains(acl)).map(Application::userOf).forEach(pending::add);
      surplus.stream().filter(live.acls::contains).map(Application::userOf).forEach(pending::add);
      return pending.isEmpty() ? null : pending.stream().map(Application::resource).collect(Collectors.joining(", "));
    });
  }
}
