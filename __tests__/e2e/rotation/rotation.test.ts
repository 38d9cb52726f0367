import { setTimeout } from "node:timers/promises";
import { expectDone, type Finished, NODES } from "../../support/lab";
import { underLoad } from "../../support/load";
import { shopOnSecuredLab } from "../../support/sample-application";

const shop = shopOnSecuredLab();

test("every certificate is replaced", async () => {
  let rotated: Finished | undefined;
  const load = await underLoad(
    "shop-certificates",
    () => {
      rotated = shop.project.command("rotate", "certificates");
    },
    shop.login(),
  );
  expectDone(rotated);
  expect(rotated?.output).toContain("every certificate is a new one");
  shop.expectRolled(load);
  shop.expectNothingLost(load);
});

test("an application's password is replaced", async () => {
  const old = shop.login();
  const oldPassword = shop.project.passwordOf("shop");
  let rotated: Finished | undefined;
  const load = await underLoad(
    "shop-password",
    async () => {
      rotated = shop.project.command("rotate", "shop");
      shop.login();
      // It goes on with that.
      await setTimeout(20_000);
    },
    old,
  );
  expectDone(rotated);
  expect(rotated?.output).toContain('"shop" has a new password, and is refused with the old one');
  // The sidecars run again, and no node.
  shop.expectNothingLost(load, 100);
  expect(shop.project.passwordOf("shop")).not.toBe(oldPassword);
  // Also the node that was asked while it was told.
  const answers = NODES.opensearch.map((node) =>
    shop.client.status(`https://${node}:9200/`, "--user", `shop:${oldPassword}`),
  );
  expect(answers).toEqual(["401", "401", "401"]);
});
