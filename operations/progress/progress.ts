import { nameOf } from "../synthesis/resources";
import type { Stack } from "../synthesis/synthesize";
import type { Diagnostic, Doing, Message } from "../terraform/messages";

/** Shows the progress of a deploy. */
export interface Display {
  /** Prints an event once. */
  say(text: string): void;
  /** Redraws the current tasks. Called whenever they may have changed. */
  draw(lines: readonly string[]): void;
  /** Reports a task that still runs. Printed at intervals if the output cannot be redrawn. */
  remind(subject: string, text: string): void;
  /** Ends the display. */
  end(): void;
}

/** The part of a stack that is shown. */
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

/** Resources that are shown one by one, since they take long. The others are only counted. */
const SHOWN = /^docker_(container|image)\./;

/** Follows Terraform's messages: the stages, and the current tasks of each. */
export class Progress {
  private readonly stages = new Map<string, Stage>();

  constructor(
    private readonly display: Display,
    private readonly now = Date.now,
  ) {}

  /** Handles a message about a stack. */
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

  /** Reports a stack without changes. */
  unchanged(stack: Staged): void {
    this.finish(stack, "no changes");
  }

  /** Returns the containers that are being created or changed. */
  waitedFor(): string[] {
    return [...this.stages.values()].flatMap(({ tasks }) =>
      [...tasks]
        .filter(([address]) => address.startsWith("docker_container."))
        .filter(([, { doing }]) => doing !== "destroying")
        .map(([, { subject }]) => subject),
    );
  }

  /** Sets the status of a container. */
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

  /** Redraws the tasks with the time passed. */
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
    if (SHOWN.test(address)) {
      this.display.remind(subject, `${stage.name}: ${subject}: ${doing}`);
    }
  }

  private complete({ layer }: Staged, address: string): void {
    const stage = this.stages.get(layer);
    const task = stage?.tasks.get(address);
    if (stage && task) {
      stage.tasks.delete(address);
      if (SHOWN.test(address)) {
        const time = this.secondsSince(task.since);
        this.display.say(`${layer}: ${task.subject}: ${DONE[task.doing]} after ${time}`);
      }
    }
  }

  /** Prints the failure at once, since the rest of the deploy may take minutes. The reason follows at the end. */
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

/** Renders counts such as `4 added, 1 destroyed`, without zeros. */
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
