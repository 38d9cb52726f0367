import { expectDone, type Finished, interrupt, NODES } from "../../support/lab";
import { underLoad } from "../../support/load";
import { deployedSampleApplication } from "../../support/sample-application";
import { Guest } from "../../support/secured";

const application = deployedSampleApplication((project) => {
  // Generates the secrets, so that the first deploy is step 1, and both CAs are trusted from the start.
  project.credentials("shop", "ca");
  return project.command("rotate", "ca");
});

/** Those with all permissions, and one with few. */
const PRINCIPALS = ["os-admin", "kafka-init", "checks"] as const;
const oldKeyPairs = new Map<string, string>();

const REVOKE = ["rotate", "certificates", "--revoke"] as const;

test("npm run rotate -- certificates --revoke continues after an interrupt, and ends with new nodes whose certificates are of the new CA, which alone is trusted", async () => {
  const before = application.issuer();
  for (const name of PRINCIPALS) {
    oldKeyPairs.set(name, application.project.keyPairOf(name));
  }
  let interrupted: Finished | undefined;
  let finished: Finished | undefined;
  const load = await underLoad(
    "shop-ca-2",
    async () => {
      interrupted = await interrupt(
        ...(["node", ["commands/groundwork.mjs", ...REVOKE]] as const),
        /kafka-\d-certificates: created after/,
        application.project.folder,
      );
      finished = application.project.command(...REVOKE);
    },
    application.login(),
  );
  expect(interrupted?.exitCode).not.toBe(0);
  expect(interrupted?.output).toContain("continuing with step 2 of 3");
  expectDone(finished);
  expect(finished?.output).toContain("continuing with step 2 of 3");
  expect(finished?.output).toContain("the CA and every certificate are new");
  // Only the third step ends open connections. A node that is back is reached by the others, each with its new certificate: it trusts no
  // other.
  const [, third] = finished?.output.split("step 3 of 3") ?? [];
  expect(third).toMatch(/rolling replacement/);
  expect(finished?.output.match(/rolling replacement of kafka/g)).toHaveLength(1);
  application.expectRolled(load);
  application.expectReloaded();
  application.expectNothingLost(load);
  expect(application.issuer()).not.toBe(before);
  expect(application.project.credentials("shop", "ca").match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
});

test("after it, both clusters refuse certificates of the old CA, those of superusers too", () => {
  const { project } = application;
  const insider = new Guest("insider", "infra_net");
  try {
    insider.put("ca.pem", project.credentials("shop", "ca"));
    const clientOf = (keyPair: string) =>
      [
        ...["security.protocol=SSL", "ssl.truststore.type=PEM"],
        ...["ssl.truststore.location=/tmp/ca.pem", "ssl.keystore.type=PEM"],
        ...[`ssl.keystore.location=/tmp/${keyPair}.pem`, ""],
      ].join("\n");
    for (const [name, old] of oldKeyPairs) {
      insider.put(`${name}.pem`, project.keyPairOf(name));
      insider.put(`old-${name}.pem`, old);
      insider.put(`${name}.properties`, clientOf(name));
      insider.put(`old-${name}.properties`, clientOf(`old-${name}`));
    }
    const health = (name: string) =>
      NODES.opensearch.map((node) =>
        insider.status(`https://${node}.infra-net:9200/_cluster/health`, "--cert", `${name}.pem`),
      );
    expect(health("os-admin")).toEqual(["200", "200", "200"]);
    expect(health("old-os-admin")).toEqual(["000", "000", "000"]);
    expect(health("old-checks")).toEqual(["000", "000", "000"]);
    const acls = (name: string, node: string) =>
      insider.run(
        ...["timeout", "40", "/opt/kafka/bin/kafka-acls.sh", "--list"],
        ...["--bootstrap-server", `${node}.infra-net:19092`],
        ...["--command-config", `${name}.properties`],
      ).output;
    for (const node of NODES.kafka) {
      expect(acls("kafka-init", node)).toContain("User:shop");
      expect(acls("old-kafka-init", node)).toMatch(/SslAuthenticationException|SSL handshake/);
    }
  } finally {
    insider.remove();
  }
});
