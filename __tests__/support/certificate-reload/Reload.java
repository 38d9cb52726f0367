import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reload KEYSTORE TRUSTSTORE: prints for each line of its input the serial with which it would answer the next connection. */
public final class Reload {
  public static void main(String[] files) throws Exception {
    Map<String, Object> configs = new HashMap<>();
    configs.put("ssl.protocol", "TLSv1.3");
    configs.put("ssl.enabled.protocols", List.of("TLSv1.3"));
    configs.put("ssl.cipher.suites", List.of());
    configs.put("ssl.keystore.type", "PEM");
    configs.put("ssl.keystore.location", files[0]);
    configs.put("ssl.truststore.type", "PEM");
    configs.put("ssl.truststore.location", files[1]);
    try (ReloadingSslEngineFactory factory = new ReloadingSslEngineFactory()) {
      factory.configure(configs);
      BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
      while (input.readLine() != null) {
        factory.createServerSslEngine("client", 1);
        KeyStore store = factory.keystore();
        X509Certificate certificate =
            (X509Certificate) store.getCertificate(store.aliases().nextElement());
        System.out.println(
            certificate.getSerialNumber().toString(16) + " " + factory.truststore().size());
      }
    }
  }

  private Reload() {}
}
