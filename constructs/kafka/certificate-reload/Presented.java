import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Presented KEYPAIR HOST:PORT...: prints a line for each listener: its address, the SHA-256 of the certificate that it presents, and the CAs of
 * which it accepts certificates if those are not the CAs on standard input (PEM), separated by tabs. Without a certificate, the second
 * field is empty and the third is the error. Trusts every certificate. Sends the key pair's, so that no listener reports a refused client.
 */
public final class Presented {
  private static final int TIMEOUT_MS = 5_000;
  private static final String CERTIFICATE = "-----BEGIN CERTIFICATE-----";
  private static final String KEY = "-----BEGIN PRIVATE KEY-----";
  private static final String KEY_END = "-----END PRIVATE KEY-----";

  public static void main(String[] args) throws IOException, GeneralSecurityException {
    KeyPair own = KeyPair.read(Path.of(args[0]));
    Set<Principal> cas = new HashSet<>();
    for (X509Certificate ca : certificatesIn(System.in)) {
      cas.add(ca.getSubjectX500Principal());
    }
    for (String listener : Arrays.asList(args).subList(1, args.length)) {
      System.out.println(String.join("\t", describe(listener, cas, own)));
    }
  }

  private static X509Certificate[] certificatesIn(InputStream pem) throws GeneralSecurityException {
    return CertificateFactory.getInstance("X.509")
        .generateCertificates(pem)
        .toArray(X509Certificate[]::new);
  }

  private static List<String> describe(String listener, Set<Principal> cas, KeyPair own)
      throws GeneralSecurityException {
    Greeting greeting = new Greeting(own);
    String error = "";
    int colon = listener.lastIndexOf(':');
    try {
      shakeHands(
          listener.substring(0, colon), Integer.parseInt(listener.substring(colon + 1)), greeting);
    } catch (IOException e) {
      // A listener that refuses the key pair has presented its own certificate before.
      error = e.toString().replaceAll("\\s", " ");
    }
    if (greeting.certificate == null) {
      return List.of(listener, "", error);
    }
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(greeting.certificate.getEncoded());
    // A listener for passwords asks for no certificate.
    boolean isExpected = greeting.accepted == null || greeting.accepted.equals(cas);
    String accepted =
        isExpected
            ? ""
            : greeting.accepted.stream().map(Principal::getName).sorted().collect(Collectors.joining("; "));
    return List.of(
        listener, HexFormat.ofDelimiter(":").withUpperCase().formatHex(digest), accepted);
  }

  private static void shakeHands(String host, int port, Greeting greeting)
      throws IOException, GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(new KeyManager[] {greeting.keys}, new TrustManager[] {greeting.trust}, null);
    try (Socket connection = new Socket()) {
      connection.connect(new InetSocketAddress(host, port), TIMEOUT_MS);
      connection.setSoTimeout(TIMEOUT_MS);
      try (SSLSocket socket =
          (SSLSocket) context.getSocketFactory().createSocket(connection, host, port, true)) {
        socket.startHandshake();
      }
    }
  }

  /** What a listener says in a handshake. */
  private static final class Greeting {
    final KeyPair own;
    X509Certificate certificate;
    Set<Principal> accepted;

    Greeting(KeyPair own) {
      this.own = own;
    }

    final X509ExtendedTrustManager trust =
        new X509ExtendedTrustManager() {
          @Override
          public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {
            certificate = chain[0];
          }

          @Override
          public void checkServerTrusted(
              X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {
            certificate = chain[0];
          }

          @Override
          public void checkServerTrusted(X509Certificate[] chain, String type) {
            certificate = chain[0];
          }

          @Override
          public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

          @Override
          public void checkClientTrusted(
              X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

          @Override
          public void checkClientTrusted(X509Certificate[] chain, String type) {}

          @Override
          public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
          }
        };

    final X509ExtendedKeyManager keys =
        new X509ExtendedKeyManager() {
          @Override
          public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            accepted = issuers == null ? Set.of() : Set.of(issuers);
            return "own";
          }

          @Override
          public X509Certificate[] getCertificateChain(String alias) {
            return own.chain();
          }

          @Override
          public PrivateKey getPrivateKey(String alias) {
            return own.key();
          }

          @Override
          public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {"own"};
          }

          @Override
          public String[] getServerAliases(String type, Principal[] issuers) {
            return null;
          }

          @Override
          public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            return null;
          }
        };
  }

  /** A key pair as Kafka has it: a file with a private key (PKCS8) and its certificates, PEM. */
  private record KeyPair(PrivateKey key, X509Certificate[] chain) {
    static KeyPair read(Path file) throws IOException, GeneralSecurityException {
      String pem = Files.readString(file);
      X509Certificate[] chain =
          certificatesIn(new ByteArrayInputStream(pem.substring(pem.indexOf(CERTIFICATE)).getBytes()));
      String key =
          pem.substring(pem.indexOf(KEY) + KEY.length(), pem.indexOf(KEY_END)).replaceAll("\\s", "");
      // The certificate says which kind of key it is.
      return new KeyPair(
          KeyFactory.getInstance(chain[0].getPublicKey().getAlgorithm())
              .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(key))),
          chain);
    }
  }

  private Presented() {}
}
