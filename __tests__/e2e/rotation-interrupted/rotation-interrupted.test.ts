import { expectDone, type Finished, interrupt } from "../../support/lab";
import { underLoad } from "../../support/load";
import { deployedSampleApplication } from "../../support/sample-application";

const application = deployedSampleApplication((project) => {
  // Generates the secrets, so that the first deploy is step 1, and both CAs are trusted from the start.
  project.credentials("shop", "ca");
  return project.command("rotate", "ca");
});

const REVOKE = ["rotate", "certificates", "--revoke"] as const;

test("npm run rotate -- certificates --revoke continues after an interrupt, and ends with new nodes whose certificates are of the new CA, which alone is trusted", async () => {
  const before = application.issuer();
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
