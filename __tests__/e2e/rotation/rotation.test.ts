import { expectDone, type Finished, NODES, onceItSays } from "../../support/lab";
import { underLoad } from "../../support/load";
import { deployedSampleApplication } from "../../support/sample-application";
import { HeldProducer } from "../../support/secured";

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
  const producer = await HeldProducer.connect(application.login().properties);
  try {
    const rotated = application.project.command("rotate", "shop");
    expectDone(rotated);
    expect(rotated.output).toContain("Open connections to Kafka end within 1 min");
    // A new connection is refused in any case: the one that was open has to end too.
    await producer.isRefused();
  } finally {
    producer.remove();
  }
});
