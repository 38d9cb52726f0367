import { nameOf } from "../synthesis/resources";
import type { Stack } from "../synthesis/synthesize";
import type { Diagnostic, Doing, Message } from "../terraform/messages";

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

/** What is shown of a stack. */
export type Staged = Pick<Stack, "layer" | "resources">;

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

/** Follows what Terraform says: stages, and what is at work in each. */
export class Progress {
  private readonly stages = new Map<string, Stage>();

  constructor(
    private readonly display: Display,
    private readonly now = Date.now,
  ) {}

  /** Something that happened in a stack. */
  message(stack: Staged, message: Message): void {
    if (message.kind === "applied") {
      this.finish(stack, summaryOf(message.counts));
    } else if (message.kind === "begin") {
      this.begin(stack, message.address, message.doing);
    } else if (message.kind === "end") {
      this.complete(stack, message.address);
    } else if (message.kind === "error") {
      this.fail(stack, message);
    }
    this.draw();
  }

  /** Nothing is to be done in a stack. */
  unchanged(stack: Staged): void {
    this.finish(stack, "no changes");
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
          this.display.remind(container, text);
        }
      }
    }
  }

  /** Shows the time that has passed. */
  draw(): void {
    this.display.draw(
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
    this.display.end();
  }

  private begin(stack: Staged, address: string, doing: Doing): void {
    const subject = nameOf(stack.resources, address);
    const stage = this.stage(stack.layer);
    stage.tasks.set(address, { subject, doing, since: this.now() });
    if (TOLD.test(address)) {
      this.display.remind(subject, `${stage.name}: ${subject}: ${doing}`);
    }
  }

  private complete({ layer }: Staged, address: string): void {
    const stage = this.stages.get(layer);
    const task = stage?.tasks.get(address);
    if (stage && task) {
      stage.tasks.delete(address);
      if (TOLD.test(address)) {
        const time = this.secondsSince(task.since);
        this.display.say(`${layer}: ${task.subject}: ${DONE[task.doing]} after ${time}`);
      }
    }
  }

  /** The rest of a deploy may take minutes after that; why is told in the user's words when all has ended. */
  private fail({ layer, resources }: Staged, { address }: Diagnostic): void {
    if (address !== undefined) {
      this.stages.get(layer)?.tasks.delete(address);
    }
    const subject = address === undefined ? "" : `${nameOf(resources, address)}: `;
    this.display.say(`${layer}: ${subject}failed`);
  }

  private finish({ layer }: Staged, summary: string): void {
    const stage = this.stages.get(layer);
    this.stages.delete(layer);
    const time = stage ? ` in ${this.secondsSince(stage.since)}` : "";
    this.display.say(`${layer}: ${summary}${time}`);
  }

  private stage(name: string): Stage {
    const stage = this.stages.get(name) ?? { name, since: this.now(), tasks: new Map() };
    this.stages.set(name, stage);
    return stage;
  }

  private secondsSince(since: number): string {
    return `${Math.round((this.now() - since) / 1000)} s`;
  }
}

/** `4 added, 1 destroyed`, without what there is none of. */
function summaryOf(counts: Readonly<Record<Doing, number>>): string {
  const words = { creating: "added", changing: "changed", destroying: "destroyed" };
  const some = Object.entries(words)
    .map(([doing, word]) => [counts[doing as Doing], word] as const)
    .filter(([count]) => count > 0);
  return some.map(([count, word]) => `${count} ${word}`).join(", ") || "no changes";
}

function align(rows: readonly [string, string][]): string[] {
  const width = Math.max(0, ...rows.map(([subject]) => subject.length));
  return rows.map(([subject, text]) => `  ${subject.padEnd(width)}  ${text}`);
}
