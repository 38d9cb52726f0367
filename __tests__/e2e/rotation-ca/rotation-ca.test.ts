import { expectDone, type Finished } from "../../support/lab";
import { underLoad } from "../../support/load";
import { deployedSampleApplication } from "../../support/sample-application";

const application = deployedSampleApplication();

test("npm run rotate -- ca begins with both CAs trusted, without a restart of a node, and applications get both", async () => {
  const before = application.issuer();
  const started = application.startedAt();
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
  expect(application.startedAt()).toEqual(started);
  application.expectNothingLost(load, 100);
  expect(application.issuer()).toBe(before);
  expect(application.project.credentials("shop", "ca").match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
});
