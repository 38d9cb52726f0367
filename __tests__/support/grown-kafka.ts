import { expectDone, type Finished, freshLab, kafka, killOnceItSays } from "./lab";
import { type ProjectCopy, projectCopy } from "./project-copy";

const declaration = (brokers: number) =>
  `name: "lab",\n  kafka: { ...laptop.kafka, brokers: ${brokers} },\n  openSearch`;

/** A lab whose number of brokers changes. Three brokers hold topics of about 60 MiB. */
export class GrownKafka {
  private brokers = 3;

  constructor(readonly copy: ProjectCopy) {}

  async prepare(): Promise<void> {
    await freshLab();
    const former = 'name: "lab",\n  openSearch';
    this.copy.edit("lab/environments.ts", former, declaration(this.brokers));
    expectDone(this.copy.command("up"));
    for (const [name, count, factor] of [
      ["large", 10, 3],
      ["small", 17, 2],
    ]) {
      kafka("kafka-topics", [
        ...["--create", "--topic", String(name), "--partitions", String(count)],
        ...["--replication-factor", String(factor), "--config", "min.insync.replicas=1"],
      ]);
    }
    kafka("kafka-producer-perf-test", [
      ...["--topic", "large", "--num-records", "20000", "--record-size", "3000"],
      ...["--throughput", "-1", "--producer-props", "acks=1"],
    ]);
  }

  /** Declares a number of brokers. */
  declare(brokers: number): void {
    this.copy.edit("lab/environments.ts", declaration(this.brokers), declaration(brokers));
    this.brokers = brokers;
  }

  up(brokers: number): Finished {
    this.declare(brokers);
    return this.copy.command("up");
  }

  /**
   * Starts a deploy with a number of brokers. After it printed a text and `isTime` has returned, kills it and its child processes. Returns
   * whether it still ran.
   */
  killedUp(brokers: number, text: RegExp, isTime: () => unknown): Promise<boolean> {
    this.declare(brokers);
    const up = ["commands/groundwork.mjs", "up"];
    return killOnceItSays(text, isTime, "node", up, this.copy.folder);
  }
}

/** Deploys the lab with three brokers before the tests of a file. */
export function grownKafka(): GrownKafka {
  const lab = new GrownKafka(projectCopy());
  beforeAll(() => lab.prepare());
  return lab;
}
