import { KAFKA_IMAGE } from "../../../constructs";
import { eventually } from "../../support/eventually";
import { docker, expectDone, type Finished, NODES, onceItSays, TRIAL } from "../../support/lab";
import { underLoad } from "../../support/load";
import { deployedSampleApplication } from "../../support/sample-application";

const application = deployedSampleApplication((project) => {
  project.edit(
    "lab/environments.ts",
    'security: "tls",',
    'security: "tls",\n  kafka: { ...lab.kafka, reauthenticationMinutes: 1 },',
  );
  return project.command("up");
});

test("npm run rotate -- shop replaces the application's password, and no write is lost", async () => {
  const old = application.login();
  const oldPassword = application.project.passwordOf("shop");
  let rotated: Finished | undefined;
  const load = await underLoad(
    "shop-password",
    async () => {
      rotated = await onceItSays(
        /os-security: created after/,
        // The application continues with the new credentials.
        () => application.login(),
        ...(["node", ["commands/groundwork.mjs", "rotate", "shop"]] as const),
        application.project.folder,
      );
    },
    old,
  );
  expectDone(rotated);
  expect(rotated?.output).toContain('"shop" has a new password, and the old one is refused');
  // The sidecars run again, and no node is replaced.
  application.expectNothingLost(load, 100);
  expect(application.project.passwordOf("shop")).not.toBe(oldPassword);
  // Includes a node that got a request during the change.
  const answers = NODES.opensearch.map((node) =>
    application.client.status(`https://${node}:9200/`, "--user", `shop:${oldPassword}`),
  );
  expect(answers).toEqual(["401", "401", "401"]);
});

test("npm run rotate -- certificates replaces every certificate without a restart of a node, and no write is lost", async () => {
  const before = application.startedAt();
  let rotated: Finished | undefined;
  const load = await underLoad(
    "shop-certificates",
    () => {
      rotated = application.project.command("rotate", "certificates");
    },
    application.login(),
  );
  expectDone(rotated);
  expect(rotated?.output).toContain("every certificate is new");
  expect(rotated?.output).not.toContain("rolling replacement");
  expect(application.startedAt()).toEqual(before);
  application.expectReloaded();
  application.expectNothingLost(load, 100);
});

test("an open connection to Kafka does not outlive a rotated password for longer than the environment says", async () => {
  const { properties } = application.login();
  const produce = `printf '%s' "$PROPERTIES" >/tmp/producer; exec /opt/kafka/bin/kafka-run-class.sh org.apache.kafka.tools.VerifiableProducer --bootstrap-server kafka:9092 --topic infra-events --acks -1 --throughput 1 --command-config /tmp/producer 2>&1`;
  docker(
    ...["run", ...TRIAL, "--detach", "--name", "connected", "--network", "project_net"],
    ...["--env", `PROPERTIES=${properties}`, "--entrypoint", "sh", KAFKA_IMAGE, "-c", produce],
  );
  const log = () => docker("logs", "connected");
  await eventually(() => (log().includes("producer_send_success") ? [] : [log()]));
  const rotated = application.project.command("rotate", "shop");
  expectDone(rotated);
  expect(rotated.output).toContain("Open connections to Kafka end within 1 min");
  // A new connection is refused in any case: the one that was open has to end too, so that no send succeeds any more.
  const lastSends = () => (log().match(/producer_send_(success|error)/g) ?? []).slice(-10);
  await eventually(() =>
    new Set(lastSends()).size === 1 && lastSends()[0] === "producer_send_error" ? [] : [log()],
  );
});
