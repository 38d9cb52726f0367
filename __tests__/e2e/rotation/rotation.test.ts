import { setTimeout } from "node:timers/promises";
import { labSecured } from "../../../environments/lab-secured";
import { expectDone, type Finished, freshLab } from "../../support/lab";
import { underLoad } from "../../support/load";
import { SecuredProject } from "../../support/secured";

import { Shop } from "../../support/shop";

const NODES = ["opensearch-1", "opensearch-2", "opensearch-3"];

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

test("every certificate is replaced", async () => {
  let rotated: Finished | undefined;
  const load = await underLoad(
    "shop-certificates",
    () => {
      rotated = project.command("rotate", "certificates");
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
  const oldPassword = project.passwordOf("shop");
  let rotated: Finished | undefined;
  const load = await underLoad(
    "shop-password",
    async () => {
      rotated = project.command("rotate", "shop");
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
  expect(project.passwordOf("shop")).not.toBe(oldPassword);
  // Also the node that was asked while it was told.
  const answers = NODES.map(
    (node) =>
      shop.client.run(
        ...["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"],
        ...["--cacert", "/tmp/ca.pem", "--user", `shop:${oldPassword}`, `https://${node}:9200/`],
      ).output,
  );
  expect(answers).toEqual(["401", "401", "401"]);
});
