import { expectDone, type Finished } from "../../support/lab";
import { underLoad } from "../../support/load";
import { deployedSampleApplication } from "../../support/sample-application";

const application = deployedSampleApplication();

test("npm run rotate -- ca begins with both CAs trusted, and applications get both", async () => {
  const before = application.issuer();
  let rotated: Finished | undefined;
  const load = await underLoad(
    "shop-ca-1",
    () => {
      rotated = application.project.command("rotate", "ca");
    },
    application.login(),
  );
  expectDone(rotated);
  expect(rotated?.output).toContain(
    "step 1 of 3 is deployed. Step 2 issues the servers' certificates from the new CA: give both CAs to shop and ledger first (npm run credentials -- shop --format ca), then run npm run rotate -- ca again",
  );
  application.expectRolled(load);
  application.expectNothingLost(load);
  expect(application.issuer()).toBe(before);
  expect(application.project.credentials("shop", "ca").match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
});
