import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Utils;

/** What Kafka's own client reads in the files that people give it. */
final class ClientFiles {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ClientFiles() {}

  /** Reads client.properties as Kafka's tools do: the login or the client certificate, the consumer group and the trusted CAs. */
  static ObjectNode properties(String file) {
    return answered(answer -> {
      Properties properties = Utils.loadProps(file);
      Map<String, Object> config = configOf(properties);
      answer.put("group", (String) config.get(ConsumerConfig.GROUP_ID_CONFIG));
      if (properties.containsKey(SaslConfigs.SASL_JAAS_CONFIG)) {
        Map<String, ?> login = JaasContext.loadClientContext(config).configurationEntries().get(0).getOptions();
        answer.put("user", (String) login.get("username"));
        answer.put("password", (String) login.get("password"));
        addCertificates(answer, engine(config).truststore());
      } else if (properties.containsKey(SslConfigs.SSL_KEYSTORE_KEY_CONFIG)) {
        KeyStore keyPair = engine(config).keystore();
        String alias = Collections.list(keyPair.aliases()).get(0);
        answer.put("user", ((X509Certificate) keyPair.getCertificate(alias)).getSubjectX500Principal().getName());
        answer.put("hasKey", keyPair.isKeyEntry(alias));
        addCertificates(answer, engine(config).truststore());
      }
    });
  }

  /** Reads a file of a CA bundle, or of a key pair. */
  static ObjectNode pem(String file, String kind) {
    return answered(answer -> {
      Properties properties = new Properties();
      properties.put("ssl." + kind + ".type", "PEM");
      properties.put("ssl." + kind + ".location", file);
      DefaultSslEngineFactory engine = engine(configOf(properties));
      addCertificates(answer, kind.equals("keystore") ? engine.keystore() : engine.truststore());
    });
  }

  private interface Reader {
    void read(ObjectNode answer) throws Exception;
  }

  private static ObjectNode answered(Reader reader) {
    ObjectNode answer = JSON.createObjectNode();
    try {
      reader.read(answer);
    } catch (Exception e) {
      answer.put("error", e.toString());
    }
    return answer;
  }

  private static Map<String, Object> configOf(Properties properties) {
    Map<String, Object> all = new HashMap<>(Utils.propsToMap(properties));
    all.putIfAbsent("bootstrap.servers", "localhost:1");
    all.put("key.deserializer", StringDeserializer.class);
    all.put("value.deserializer", StringDeserializer.class);
    return new HashMap<>(new ConsumerConfig(all).values());
  }

  private static DefaultSslEngineFactory engine(Map<String, Object> config) {
    DefaultSslEngineFactory engine = new DefaultSslEngineFactory();
    engine.configure(config);
    return engine;
  }

  private static void addCertificates(ObjectNode answer, KeyStore store) throws Exception {
    ArrayNode subjects = answer.putArray("subjects");
    for (String alias : Collections.list(store.aliases())) {
      subjects.add(((X509Certificate) store.getCertificate(alias)).getSubjectX500Principal().getName());
    }
  }
}
