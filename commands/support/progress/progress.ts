import { type Doing, eventOf, stackOf } from "./events";

/** How a deploy is shown to whoever waits for it. */
export interface Display {
  /** Something happened: said once. */
  say(text: string): void;
  /** What is at work now, as lines; called again whenever it may have changed. */
  draw(lines: readonly string[]): void;
  /** Something is still at work: said now and then where nothing can be drawn. */
  remind(subject: string, text: string): void;
  /** Nothing more comes. */
  end(): void;
}

/** Who is deployed and what is shown of it. */
export interface ProgressProps {
  readonly display: Display;
  /** Names of the stacks and what each is called in front of a user. */
  readonly stages: ReadonlyMap<string, string>;
  /** What a resource is called, by stack and Terraform's address, as `stack address`. */
  readonly subjects: ReadonlyMap<string, string>;
  readonly now?: () => number;
}

interface Task {
  readonly subject: string;
  readonly doing: Doing;
  readonly since: number;
  status?: string;
}

interface Stage {
  readonly name: string;
  readonly since: number;
  readonly tasks: Map<string, Task>;
}

const DONE: Readonly<Record<Doing, string>> = {
  creating: "created",
  changing: "changed",
  destroying: "destroyed",
};

/** What takes long enough to be told one by one; the others are counted. */
const TOLD = /^docker_(container|image)\./;

/** Follows the output of cdktf or Terraform: stages, and what is at work in each. */
export class Progress {
  private readonly stages = new Map<string, Stage>();
  private readonly finished = new Set<string>();
  private readonly now: () => number;
  private stack: string | undefined;

  constructor(private readonly props: ProgressProps) {
    this.now = props.now ?? Date.now;
  }

  /** A line of the output; of Terraform alone, `stack` is the one it works on. */
  line(line: string, stack?: string): void {
    this.stack = stack ?? stackOf(line, [...this.props.stages.keys()]) ?? this.stack;
    const event = eventOf(line);
    if (!event || !this.stack) {
      return;
    }
    if (event.kind === "stack done") {
      this.finish(this.stack, event.summary);
    } else if (event.kind === "begin") {
      this.begin(this.stack, event.address, event.doing);
    } else {
      this.complete(this.stack, event.address);
    }
    this.draw();
  }

  /** Containers that are being made or changed. */
  waitedFor(): string[] {
    return [...this.stages.values()].flatMap(({ tasks }) =>
      [...tasks]
        .filter(([address]) => address.startsWith("docker_container."))
        .filter(([, { doing }]) => doing !== "destroying")
        .map(([, { subject }]) => subject),
    );
  }

  /** What a container that is waited for is at. */
  status(container: string, status: string): void {
    for (const { name, tasks } of this.stages.values()) {
      for (const task of tasks.values()) {
        if (task.subject === container) {
          task.status = status;
          const text = `${name}: ${container}: ${this.secondsSince(task.since)}, ${status}`;
          this.props.display.remind(container, text);
        }
      }
    }
  }

  /** Something that is not of a stage. */
  say(text: string): void {
    this.props.display.say(text);
  }

  /** Shows the time that has passed. */
  draw(): void {
    this.props.display.draw(
      [...this.stages.values()].flatMap(({ name, since, tasks }) => [
        `${name}: ${this.secondsSince(since)}`,
        ...align(
          [...tasks.values()].map(({ subject, doing, since: begun, status }) => [
            subject,
            [this.secondsSince(begun), status ?? doing].join(", "),
          ]),
        ),
      ]),
    );
  }

  end(): void {
    this.props.display.end();
  }

  private begin(stack: string, address: string, doing: Doing): void {
    const subject = this.subject(stack, address);
    const stage = this.stage(stack);
    stage.tasks.set(address, { subject, doing, since: this.now() });
    this.finished.delete(stack);
    if (TOLD.test(address)) {
      this.props.display.remind(subject, `${stage.name}: ${subject}: ${doing}`);
    }
  }

  private complete(stack: string, address: string): void {
    const stage = this.stages.get(stack);
    const task = stage?.tasks.get(address);
    if (stage && task) {
      stage.tasks.delete(address);
      if (TOLD.test(address)) {
        const time = this.secondsSince(task.since);
        this.props.display.say(`${stage.name}: ${task.subject}: ${DONE[task.doing]} after ${time}`);
      }
    }
  }

  private finish(stack: string, summary: string): void {
    const stage = this.stages.get(stack);
    this.stages.delete(stack);
    if (!this.finished.has(stack)) {
      this.finished.add(stack);
      const time = stage ? ` in ${this.secondsSince(stage.since)}` : "";
      this.props.display.say(`${this.props.stages.get(stack)}: ${summary}${time}`);
    }
  }

  private stage(stack: string): Stage {
    const name = this.props.stages.get(stack) ?? stack;
    const stage = this.stages.get(stack) ?? { name, since: this.now(), tasks: new Map() };
    this.stages.set(stack, stage);
    return stage;
  }

  private subject(stack: string, address: string): string {
    return this.props.subjects.get(`${stack} ${address}`) ?? address;
  }

  private secondsSince(since: number): string {
    return `${Math.round((this.now() - since) / 1000)} s`;
  }
}

function align(rows: readonly [string, string][]): string[] {
  const width = Math.max(0, ...rows.map(([subject]) => subject.length));
  return rows.map(([subject, text]) => `  ${subject.padEnd(width)}  ${text}`);
}
