import { type Application, KafkaCluster, KafkaInit } from "../../../constructs";
import { APPLICATIONS_FILE } from "../../../constructs/kafka/declared-applications";
import { applicationPrincipalRules, principalRules } from "../../../constructs/kafka/kafka-cluster";
import { kafkaWith, SECURITY, securedKafka } from "../../support/kafka-cluster";
import { envOf, type Json } from "../../support/platform";
import { networks, nodes, testStack } from "../../support/stack";

describe("a secured Kafka cluster", () => {
  const found = securedKafka(
    [
      { name: "shop", topics: { orders: "write" }, consumerGroups: ["shop-*"] },
      { name: "audit", topics: { "*": "read" }, everything: true },
    ],
    SECURITY,
  );
  const broker = found("kafka-2");
  const init = found("kafka-init");
  const secretsOf = (body: Json) =>
    body.upload
      .filter(({ source_hash }: Json) => source_hash?.includes("filesha256"))
      .map(({ file, source, permissions }: Json) => [file, source, permissions]);

  test("uses TLS everywhere: certificates for services, passwords for applications", () => {
    expect(envOf(broker)).toMatchObject({
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP:
        "APP:SASL_SSL,CONTROLLER:SSL,INTERNAL:SSL,HOST:SASL_SSL,HEALTH:PLAINTEXT",
      KAFKA_LISTENER_NAME_CONTROLLER_SSL_CLIENT_AUTH: "required",
      KAFKA_LISTENER_NAME_INTERNAL_SSL_CLIENT_AUTH: "required",
      KAFKA_LISTENER_NAME_APP_SASL_ENABLED_MECHANISMS: "SCRAM-SHA-512",
      KAFKA_LISTENER_NAME_HOST_SASL_ENABLED_MECHANISMS: "SCRAM-SHA-512",
      KAFKA_LISTENER_NAME_HOST_SCRAM___SHA___512_SASL_JAAS_CONFIG:
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
      KAFKA_SSL_KEYSTORE_TYPE: "PEM",
      KAFKA_SSL_KEYSTORE_LOCATION: "/groundwork/tls/keystore.pem",
      KAFKA_SSL_TRUSTSTORE_TYPE: "PEM",
      KAFKA_SSL_TRUSTSTORE_LOCATION: "/groundwork/tls/truststore.pem",
      KAFKA_SSL_ENGINE_FACTORY_CLASS: "ReloadingSslEngineFactory",
    });
    // Behind all jars of the image, whose archive of classes it would otherwise invalidate.
    const jars = broker.upload.map(({ file }: Json) => file).filter((f: string) => /jar$/.test(f));
    expect(jars).toEqual([
      "/opt/kafka/libs/zz-request-latency.jar",
      "/opt/kafka/libs/zz-certificate-reload.jar",
    ]);
    expect(["zstd-jni-1.5.6-10.jar", "zz-certificate-reload.jar"].sort()[1]).toMatch(/^zz/);
    expect(Object.keys(envOf(broker)).filter((name) => /IDENTIFICATION/.test(name))).toEqual([]);
  });

  test("asks applications for their password again every 10 minutes", () => {
    expect(envOf(broker)).toMatchObject({ KAFKA_CONNECTIONS_MAX_REAUTH_MS: "600000" });
  });

  test("has only brokers and kafka-init as superusers", () => {
    expect(envOf(broker)).toMatchObject({
      KAFKA_AUTHORIZER_CLASS_NAME: "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: "false",
      KAFKA_SUPER_USERS: "User:kafka;User:kafka-init",
      KAFKA_SSL_PRINCIPAL_MAPPING_RULES: principalRules("kafka"),
    });
  });

  test("has a host name per network that Java accepts in certificates", () => {
    expect(broker.networks_advanced).toEqual([
      { name: "infra_net", aliases: ["kafka", "kafka-2.infra-net"] },
      { name: "project_net", aliases: ["kafka", "kafka-2.project-net"] },
    ]);
    expect(envOf(broker)).toMatchObject({
      KAFKA_CONTROLLER_QUORUM_VOTERS:
        "1@kafka-1.infra-net:9093,2@kafka-2.infra-net:9093,3@kafka-3.infra-net:9093",
      KAFKA_ADVERTISED_LISTENERS:
        "CONTROLLER://kafka-2.infra-net:9093,INTERNAL://kafka-2.infra-net:19092,APP://kafka-2.project-net:9092,HOST://localhost:9093",
    });
    expect(envOf(init).KAFKA_BOOTSTRAP_SERVERS).toBe(
      "kafka-1.infra-net:19092,kafka-2.infra-net:19092,kafka-3.infra-net:19092",
    );
  });

  test("has a health check listener that is reachable only in the container", () => {
    expect(envOf(broker).KAFKA_LISTENERS).toBe(
      "CONTROLLER://kafka-2.infra_net:9093,INTERNAL://kafka-2.infra_net:19092,APP://kafka-2.project_net:9092,HOST://kafka-2.infra_net:29092,HEALTH://127.0.0.1:19099",
    );
    expect(broker.healthcheck.test.slice(-2)).toEqual(["127.0.0.1", "19099"]);
  });

  test("gets its secrets from files of the deploying machine, readable for the image's user", () => {
    expect(secretsOf(broker)).toEqual([]);
    expect(secretsOf(found("kafka-2-certificates"))).toEqual([
      ["/groundwork/certificates/keystore.pem", "tls/kafka-2.store.pem", "0440"],
      ["/groundwork/certificates/truststore.pem", "tls/ca.pem", "0440"],
    ]);
    expect(secretsOf(init)).toEqual([
      ["/groundwork/tls/keystore.pem", "tls/kafka-init.store.pem", "0444"],
      ["/groundwork/tls/truststore.pem", "tls/ca.pem", "0444"],
      ["/groundwork/passwords/shop", "passwords/shop", "0444"],
      ["/groundwork/passwords/audit", "passwords/audit", "0444"],
    ]);
  });

  test("passes the applications' permissions and the monitors to kafka-init", () => {
    const { content } = init.upload.find(({ file }: Json) => file === APPLICATIONS_FILE);
    expect(JSON.parse(content)).toEqual({
      applications: [
        {
          name: "shop",
          acls: [
            { resource: "topic", name: "orders", operations: ["WRITE", "DESCRIBE"] },
            { resource: "group", name: "shop-*", operations: ["READ"] },
          ],
        },
        {
          name: "audit",
          acls: [{ resource: "topic", name: "*", operations: ["READ", "DESCRIBE"] }],
        },
      ],
      monitors: ["alloy"],
    });
    expect(envOf(init)).toMatchObject({
      GROUNDWORK_DECLARED: "orders application/shop application/audit application/alloy",
      KAFKA_CLIENT_CONFIG: "/groundwork/client.properties",
    });
  });

  describe("of an application with a certificate", () => {
    const SHOP: Application = { name: "shop", topics: { orders: "write" } };
    const withPassword = securedKafka([SHOP], SECURITY);
    const withCertificate = securedKafka([{ ...SHOP, authentication: "certificate" }], SECURITY);

    test.each(["kafka-1", "kafka-2", "kafka-3"])(
      "adds a listener for it on the project network to %s, and changes nothing else",
      (name) => {
        const { env: _, ...before } = withPassword(name);
        const { env: __, ...after } = withCertificate(name);
        expect(after).toEqual(before);
        const variables = envOf(withPassword(name));
        const added = `CERTIFICATE://${name}.project`;
        expect(envOf(withCertificate(name))).toEqual({
          ...variables,
          KAFKA_LISTENERS: variables.KAFKA_LISTENERS.replace(",HOST", `,${added}_net:9094,HOST`),
          KAFKA_ADVERTISED_LISTENERS: variables.KAFKA_ADVERTISED_LISTENERS.replace(
            ",HOST",
            `,${added}-net:9094,HOST`,
          ),
          KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: `${variables.KAFKA_LISTENER_SECURITY_PROTOCOL_MAP},CERTIFICATE:SSL`,
          KAFKA_LISTENER_NAME_CERTIFICATE_SSL_CLIENT_AUTH: "required",
          KAFKA_LISTENER_NAME_CERTIFICATE_SSL_PRINCIPAL_MAPPING_RULES: applicationPrincipalRules(
            "kafka",
            "kafka-init",
          ),
        });
      },
    );

    test("gives kafka-init its permissions and no password", () => {
      const fileIn = (body: Json) =>
        JSON.parse(body.upload.find(({ file }: Json) => file === APPLICATIONS_FILE).content);
      const [before] = fileIn(withPassword("kafka-init")).applications;
      expect(fileIn(withCertificate("kafka-init")).applications).toEqual([
        { ...before, authentication: "certificate" },
      ]);
      expect(secretsOf(withCertificate("kafka-init")).map(([file]: string[]) => file)).toEqual([
        "/groundwork/tls/keystore.pem",
        "/groundwork/tls/truststore.pem",
      ]);
    });

    test("is refused without the listener, and the message names the application", () => {
      const scope = testStack();
      const cluster = new KafkaCluster(scope, "kafka", {
        ...networks(scope),
        nodes: nodes(scope, 1),
        security: SECURITY,
      });
      const applications: Application[] = [{ name: "shop", authentication: "certificate" }];
      expect(() => new KafkaInit(scope, "init", { cluster, topics: [], applications })).toThrow(
        'application "shop" authenticates with a certificate, and the cluster has no listener for it: set certificateListener: true on the KafkaCluster, or remove authentication (at test/init)',
      );
    });

    test("has no listener in a plaintext cluster, where nothing changes", () => {
      const plaintext = securedKafka([{ ...SHOP, authentication: "certificate" }]);
      for (const name of ["kafka-1", "kafka-init"]) {
        expect(plaintext(name)).toEqual(securedKafka([])(name));
      }
      expect(() => kafkaWith({ certificateListener: true })).toThrow(
        "certificateListener is true, but the cluster is plaintext: set security, or remove certificateListener (at test/kafka)",
      );
    });

    test.each(["kafka-4", "kafka-77"])(
      "does not get the name %s, which Kafka takes for a broker's",
      (name) => {
        expect(() => securedKafka([{ name, authentication: "certificate" }], SECURITY)).toThrow(
          `application name "${name}" is reserved for a service of the platform`,
        );
      },
    );

    test("does not get the name of a broker of a cluster with another name", () => {
      const scope = testStack();
      const cluster = new KafkaCluster(scope, "events", {
        ...networks(scope),
        containerName: "events",
        nodes: nodes(scope, 1),
        security: SECURITY,
        certificateListener: true,
      });
      const applications: Application[] = [{ name: "events-77", authentication: "certificate" }];
      expect(() => new KafkaInit(scope, "init", { cluster, topics: [], applications })).toThrow(
        'application name "events-77" is reserved for a service of the platform, whose permissions it would get',
      );
    });
  });

  test("does not change a plaintext cluster if there are applications", () => {
    const applications: Application[] = [{ name: "shop", topics: { orders: "write" } }];
    for (const name of ["kafka-1", "kafka-init"]) {
      expect(securedKafka(applications)(name)).toEqual(securedKafka([])(name));
    }
    expect(
      Object.keys(envOf(securedKafka([])("kafka-1"))).filter((n) => /SSL|SASL|ACL/.test(n)),
    ).toEqual([]);
  });
});
