import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
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
 * Presented HOST:PORT...: prints a line for each listener: its address, the SHA-256 of the certificate that it presents, and the CAs of
 * which it accepts certificates if those are not the CAs on standard input (PEM), separated by tabs. Without a certificate, the second
 * field is empty and the third is the error. Trusts every certificate and sends none.
 */
public final class Presented {
  private static final int TIMEOUT_MS = 5_000;

  public static void main(String[] listeners) throws GeneralSecurityException {
    Set<Principal> cas = new HashSet<>();
    for (Certificate ca : CertificateFactory.getInstance("X.509").generateCertificates(System.in)) {
      cas.add(((X509Certificate) ca).getSubjectX500Principal());
    }
    for (String listener : listeners) {
      System.out.println(String.join("\t", describe(listener, cas)));
    }
  }

  private static List<String> describe(String listener, Set<Principal> cas)
      throws GeneralSecurityException {
    Greeting greeting = new Greeting();
    String error = "";
    int colon = listener.lastIndexOf(':');
    try {
      shakeHands(
          listener.substring(0, colon), Integer.parseInt(listener.substring(colon + 1)), greeting);
    } catch (IOException e) {
      // A listener that requires a certificate ends the connection after it has presented its own.
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
    X509Certificate certificate;
    Set<Principal> accepted;

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
            return null;
          }

          @Override
          public String[] getClientAliases(String type, Principal[] issuers) {
            return null;
          }

          @Override
          public String[] getServerAliases(String type, Principal[] issuers) {
            return null;
          }

          @Override
          public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            return null;
          }

          @Override
          public X509Certificate[] getCertificateChain(String alias) {
            return null;
          }

          @Override
          public PrivateKey getPrivateKey(String alias) {
            return null;
          }
        };
  }

  private Presented() {}
}
