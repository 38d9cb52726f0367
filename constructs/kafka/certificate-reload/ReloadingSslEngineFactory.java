import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.auth.SslEngineFactory;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's own TLS, which reads the key store and the trust store again for the first connection after one of the files changed. Every
 * listener and every client of a broker has one. Kafka itself reads them again only when a config of the broker is altered, and never for
 * connections to controllers. Open connections keep their certificates.
 */
public final class ReloadingSslEngineFactory implements SslEngineFactory {
  private static final Logger LOG = LoggerFactory.getLogger(ReloadingSslEngineFactory.class);
  private static final List<String> FILES =
      List.of(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG, SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG);

  private Map<String, ?> configs = Map.of();
  private volatile Stores stores;

  /** What was read, and what identified the files before that. A rename gives a file another key. */
  private record Stores(SslEngineFactory ssl, List<Object> identity) {}

  @Override
  public void configure(Map<String, ?> configs) {
    this.configs = configs;
    stores = read(identify());
  }

  @Override
  public SSLEngine createClientSslEngine(String host, int port, String endpointIdentification) {
    return current().createClientSslEngine(host, port, endpointIdentification);
  }

  @Override
  public SSLEngine createServerSslEngine(String host, int port) {
    return current().createServerSslEngine(host, port);
  }

  @Override
  public boolean shouldBeRebuilt(Map<String, Object> nextConfigs) {
    return current().shouldBeRebuilt(nextConfigs);
  }

  @Override
  public Set<String> reconfigurableConfigs() {
    return stores.ssl().reconfigurableConfigs();
  }

  @Override
  public KeyStore keystore() {
    return stores.ssl().keystore();
  }

  @Override
  public KeyStore truststore() {
    return stores.ssl().truststore();
  }

  @Override
  public void close() throws IOException {
    if (stores != null) {
      stores.ssl().close();
    }
  }

  private SslEngineFactory current() {
    try {
      List<Object> now = identify();
      if (!now.equals(stores.identity())) {
        reread(now);
      }
    } catch (UncheckedIOException e) {
      LOG.error("Keeping the certificates that were read before", e);
    }
    return stores.ssl();
  }

  private synchronized void reread(List<Object> now) {
    if (now.equals(stores.identity())) {
      return;
    }
    try {
      stores = read(now);
      LOG.info("Read the certificates again: {}", describe(stores.ssl().keystore()));
    } catch (KafkaException e) {
      // Once for each change, and not for each connection.
      stores = new Stores(stores.ssl(), now);
      LOG.error("Keeping the certificates that were read before", e);
    }
  }

  private Stores read(List<Object> identity) {
    SslEngineFactory ssl = new DefaultSslEngineFactory();
    ssl.configure(configs);
    return new Stores(ssl, identity);
  }

  private List<Object> identify() {
    List<Object> identity = new ArrayList<>();
    for (String config : FILES) {
      Object file = configs.get(config);
      if (file != null) {
        try {
          BasicFileAttributes attributes =
              Files.readAttributes(Path.of(file.toString()), BasicFileAttributes.class);
          identity.add(String.valueOf(attributes.fileKey()));
          identity.add(attributes.lastModifiedTime());
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return identity;
  }

  private static String describe(KeyStore store) {
    List<String> serials = new ArrayList<>();
    try {
      for (String alias : store == null ? List.<String>of() : Collections.list(store.aliases())) {
        if (store.getCertificate(alias) instanceof X509Certificate certificate) {
          serials.add(
              certificate.getSubjectX500Principal() + ", serial " + certificate.getSerialNumber().toString(16));
        }
      }
    } catch (KeyStoreException e) {
      throw new KafkaException(e);
    }
    return String.join("; ", serials);
  }
}
