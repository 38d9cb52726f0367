import { setTimeout } from "node:timers/promises";
import { expectDone, type Finished, NODES } from "../../support/lab";
import { underLoad } from "../../support/load";
import { deployedSampleApplication } from "../../support/sample-application";

const application = deployedSampleApplication();

test("npm run rotate -- certificates replaces every certificate, one node at a time, and no write is lost", async () => {
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
  application.expectRolled(load);
  application.expectNothingLost(load);
});

test("npm run rotate -- shop replaces the application's password, and no write is lost", async () => {
  const old = application.login();
  const oldPassword = application.project.passwordOf("shop");
  let rotated: Finished | undefined;
  const load = await underLoad(
    "shop-password",
    async () => {
      rotated = application.project.command("rotate", "shop");
      application.login();
      // The application continues with the new credentials.
      await setTimeout(20_000);
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
