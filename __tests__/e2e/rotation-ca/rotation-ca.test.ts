import { expectDone, type Finished } from "../../support/lab";
import { underLoad } from "../../support/load";
import { shopOnSecuredLab } from "../../support/sample-application";

const shop = shopOnSecuredLab();

test("a CA is replaced: first both are trusted, and applications are given both", async () => {
  const before = shop.issuer();
  let rotated: Finished | undefined;
  const load = await underLoad(
    "shop-ca-1",
    () => {
      rotated = shop.project.command("rotate", "ca");
    },
    shop.login(),
  );
  expectDone(rotated);
  expect(rotated?.output).toContain(
    "step 1 of 3 is deployed. From step 2 on the servers' certificates are the new CA's: give both CAs to shop and ledger first (npm run credentials -- shop --format ca), then run the same command again",
  );
  shop.expectRolled(load);
  shop.expectNothingLost(load);
  expect(shop.issuer()).toBe(before);
  expect(shop.project.credentials("shop", "ca").match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
});
