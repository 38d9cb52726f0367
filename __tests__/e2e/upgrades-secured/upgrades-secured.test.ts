import { KAFKA_IMAGE } from "../../../constructs";
import { buildImages } from "../../../lab/prepare";
import { expectDone, NODES } from "../../support/lab";
import { goneOneByOne, type Load } from "../../support/load";
import { deployedSampleApplication } from "../../support/sample-application";
import type { SecuredProject } from "../../support/secured";
import { finalizedLevel, OLD_IMAGES, shownVersions } from "../../support/versions";

const NAME = 'name: "lab-secured",';
const OLD = `${NAME}\n  kafka: { ...lab.kafka, image: "${OLD_IMAGES.kafka}" },`;
const setImage = (project: SecuredProject, from: string, to: string) =>
  project.edit("lab/environments.ts", from, to);

// Of the OpenSearch versions with a security plugin, Maven Central has one.
const application = deployedSampleApplication(async (project) => {
  await buildImages({ kafka: OLD_IMAGES.kafka }, { sharedClasses: true });
  setImage(project, NAME, OLD);
  return project.command("up");
});
const { project } = application;

const shown = () => shownVersions(project, "Kafka");

describe("an upgrade of Kafka", () => {
  let load: Load;

  beforeAll(async () => {
    expect(shown()).toEqual(["Kafka", OLD_IMAGES.kafka, "4.2.1", "4.2-IV1", "4.3.1"]);
    setImage(project, OLD, NAME);
    ({ load } = await application.deployUnderLoad("shop-upgraded"));
  });

  test("replaces one broker at a time, and loses no write of an application", () => {
    expect(goneOneByOne(load, "kafka")).toEqual(NODES.kafka);
    application.expectNothingLost(load, 100);
  });

  test("is not finalized, and a plan says what npm run finalize would raise", () => {
    expect(shown()).toEqual(["Kafka", KAFKA_IMAGE, "4.3.1", "4.2-IV1", "4.3.1"]);
    expect(project.command("plan").output).toContain(
      "npm run finalize raises metadata.version of Kafka from 4.2-IV1 to 4.3-IV0: Kafka accepts that",
    );
  });

  test("is finalized by npm run finalize, and does not go back afterwards", () => {
    expectDone(project.command("finalize", "--yes"));
    expect(finalizedLevel("metadata.version")).toBe("4.3-IV0");
    expect(finalizedLevel("kraft.version")).toBe("0");
    const before = application.startedAt();
    setImage(project, NAME, OLD);
    const { exitCode, output } = project.command("up");
    expect(exitCode).toBe(1);
    expect(output).toContain(
      `the image of Kafka is ${OLD_IMAGES.kafka}, but metadata.version is finalized at 4.3-IV0`,
    );
    expect(application.startedAt()).toEqual(before);
  });
});
