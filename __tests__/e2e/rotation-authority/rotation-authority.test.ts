import { labSecured } from "../../../environments/lab-secured";
import { expectDone, type Finished, freshLab, interrupt } from "../../support/lab";
import { underLoad } from "../../support/load";
import { SecuredProject } from "../../support/secured";

import { Shop } from "../../support/shop";

let project: SecuredProject;
let shop: Shop;

beforeAll(async () => {
  await freshLab(labSecured);
  project = new SecuredProject();
  expectDone(project.command("up"));
  shop = new Shop(project);
});

afterAll(() => {
  shop.remove();
  project.remove();
});

describe("the authority is replaced:", () => {
  let before: string | undefined;

  test("first both are trusted, and applications are given both", async () => {
    before = shop.issuer();
    let rotated: Finished | undefined;
    const load = await underLoad(
      "shop-ca-1",
      () => {
        rotated = project.command("rotate", "ca");
      },
      shop.login(),
    );
    expectDone(rotated);
    expect(rotated?.output).toContain(
      "step 1 of 3 is deployed. From step 2 on the servers' certificates are the new authority's: give both authorities to shop and ledger first (npm run credentials -- shop --format ca), then run the same command again",
    );
    shop.expectRolled(load);
    shop.expectNothingLost(load);
    expect(shop.issuer()).toBe(before);
    expect(project.credentials("shop", "ca").match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  test("then certificates are the new one's and it alone is trusted, also when that was interrupted", async () => {
    let interrupted: Finished | undefined;
    let finished: Finished | undefined;
    const load = await underLoad(
      "shop-ca-2",
      async () => {
        interrupted = await interrupt(
          ...(["node", ["-r", "./register.js", "commands/rotate.ts", "ca"]] as const),
          /is rolled[\s\S]*created after/,
          project.folder,
        );
        finished = project.command("rotate", "ca");
      },
      shop.login(),
    );
    expect(interrupted?.exitCode).not.toBe(0);
    expect(interrupted?.output).toContain("going on with step 2 of 3");
    expectDone(finished);
    expect(finished?.output).toContain("going on with step 2 of 3");
    expect(finished?.output).toContain("the authority and every certificate are new ones");
    shop.expectNothingLost(load);
    expect(shop.issuer()).not.toBe(before);
    expect(project.credentials("shop", "ca").match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  });
});
