import { randomInt } from "node:crypto";
import {
  KAFKA_BOOTSTRAP_SERVER,
  KAFKA_IMAGE,
  OPENSEARCH_IMAGE,
  openSearchUrl,
} from "../../constructs";
import { type Environment, isSecured } from "../../environments";
import type { Catalog } from "../../stacks/platform";
import { credentialsOf, kafkaAddressOf } from "../credentials/credentials";
import { type Format, RENDERERS } from "../credentials/formats";
import type { Outcome } from "../engine/docker";
import type { Platform } from "../platform/platform";
import { fileOf } from "../synthesis/environment";
import { poll } from "../terminal/poll";
import { CommandError, counted } from "../terminal/terminal";
import { type ContainerCommand, renderCommand, runInContainer, SERVICE } from "./container-command";
import { dashboardLinks } from "./links";
import { type Chooser, chooseIndex, chooseTopic, type Target } from "./targets";

export interface HelloOptions {
  /** Application that writes. @default - none without authentication, otherwise the first that may write */
  readonly application?: string;
  /** Prints a line of the report. */
  readonly print: (line: string) => void;
}

/** How long a log line may take to be in Loki, with the 5 s until Alloy discovers the container. */
const LOG_SECONDS = 30;

/** Uses the platform as an application does, and says how. Throws if a step fails that is possible. */
export async function sayHello(
  platform: Platform,
  catalog: Catalog,
  options: HelloOptions,
): Promise<void> {
  await new Hello(platform, catalog, options).run();
}

class Hello {
  /** Part of everything that is written, so that it is found again. VerifiableProducer takes a 32-bit number. */
  private readonly number = randomInt(1, 2 ** 31 - 1);
  private readonly failures: string[] = [];
  private done = 0;
  private skipped = 0;
  private readonly environment: Environment;
  private readonly chooser: Chooser;

  constructor(
    private readonly platform: Platform,
    private readonly catalog: Catalog,
    private readonly options: HelloOptions,
  ) {
    const { applications } = catalog;
    const { application } = options;
    this.environment = platform.environment;
    if (application !== undefined) {
      // Throws if it is not declared.
      credentialsOf(this.environment, applications, application);
    }
    const named = applications.filter(({ name }) => name === application);
    this.chooser = {
      writers:
        application !== undefined ? named : isSecured(this.environment) ? applications : undefined,
      readers: applications,
    };
  }

  async run(): Promise<void> {
    await this.useKafka();
    await this.useOpenSearch();
    await this.useLoki();
    for (const link of dashboardLinks(this.environment, this.catalog)) {
      this.options.print(link);
    }
    const steps = this.done + this.failures.length;
    if (this.failures.length > 0) {
      throw new CommandError(
        [
          `${this.failures.length} of ${counted(steps, "step")} failed:`,
          ...this.failures.map((failure) => `- ${failure}`),
        ].join("\n"),
      );
    }
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : "";
    this.options.print(
      `${counted(this.done, "step")} done${skipped}. Connect an application: docs/how-to/application.md`,
    );
  }

  private async useKafka(): Promise<void> {
    const topic = chooseTopic(this.chooser, this.catalog.topics);
    if ("skipped" in topic) {
      this.skip("Kafka", topic.skipped);
      return;
    }
    const written = await this.step(
      `write a record to topic ${topic.name}`,
      this.kafka("kafka-write.sh", topic.writer, topic.name, String(this.number)),
      recordIn,
    );
    if (!written) {
      return;
    }
    const { partition, offset } = written;
    await this.readOr(topic, "the record", (reader) =>
      this.step(
        `read the record at offset ${offset} of partition ${partition}`,
        this.kafka("kafka-read.sh", reader, topic.name, String(partition), String(offset)),
        (output) => output.includes(`${this.number}.0`) || undefined,
      ),
    );
  }

  private async useOpenSearch(): Promise<void> {
    if (!this.environment.openSearch.onProjectNetwork) {
      this.skip(
        "OpenSearch",
        `applications do not reach it: set openSearch.onProjectNetwork to true in ${fileOf(this.environment.name)}`,
      );
      return;
    }
    const index = chooseIndex(this.chooser);
    if ("skipped" in index) {
      this.skip("OpenSearch", index.skipped);
      return;
    }
    const document = {
      "@timestamp": new Date().toISOString(),
      service: SERVICE,
      message: `hello ${this.number}`,
    };
    // A data stream only takes documents that are created.
    const id = await this.step(
      `index a document in ${index.name}`,
      this.openSearch(
        ...([index.writer, "POST", `/${index.name}/_doc?op_type=create&refresh=true`] as const),
        JSON.stringify(document),
      ),
      (output): string | undefined => jsonIn(output)?._id,
    );
    if (id === undefined) {
      return;
    }
    const query = encodeURIComponent(`_id:"${id}"`);
    await this.readOr(index, "the document", (reader) =>
      this.step(
        `find the document in ${index.name}`,
        this.openSearch(reader, "GET", `/${index.name}/_search?q=${query}`),
        (output) => jsonIn(output)?.hits?.hits?.some((hit) => hit._id === id) || undefined,
      ),
    );
  }

  private async useLoki(): Promise<void> {
    const { excludedServices = [], name } = this.environment;
    const missing = (["loki", "alloy"] as const).filter((one) => excludedServices.includes(one));
    if (missing.length > 0) {
      this.skip("Loki", `${missing.join(" and ")}: in excludedServices of ${fileOf(name)}`);
      return;
    }
    const line = `hello ${this.number}`;
    const [broker] = this.platform.nodes("kafka");
    const written = await this.step(
      "write a log line",
      {
        beside: broker,
        image: this.kafkaImage,
        shell: "sh",
        script: "log.sh",
        args: [line],
      },
      (output) => output.includes(line) || undefined,
    );
    if (written) {
      await this.findInLoki(line);
    }
  }

  private async findInLoki(line: string): Promise<void> {
    const logQl = `{service="${SERVICE}"} |= "${line}"`;
    const path = `/loki/api/v1/query_range?query=${encodeURIComponent(logQl)}`;
    const isFound = ({ exitCode, output }: Outcome) =>
      exitCode === 0 && (jsonIn(output)?.data?.result?.length ?? 0) > 0;
    const outcome = await poll(() => this.platform.loki.get(path), isFound, {
      intervalMs: 1000,
      patienceMs: LOG_SECONDS * 1000,
    });
    const step = `find the log line in Loki, as in Grafana's Explore: ${logQl}`;
    if (isFound(outcome)) {
      this.done++;
      this.options.print(`done: ${step}\n`);
    } else {
      const words =
        outcome.exitCode === 0 ? `not there after ${LOG_SECONDS} s` : wordsOf(outcome.output);
      this.fail(step, `${words}; see docs/when-something-fails.md`);
    }
  }

  /** Runs a command and returns what `resultIn` finds in its output. Undefined is a failure, which is reported. */
  private async step<Result>(
    step: string,
    command: ContainerCommand,
    resultIn: (output: string) => Result | undefined,
  ): Promise<Result | undefined> {
    const { environment } = this;
    const shown = renderCommand(environment, command);
    const { exitCode, output } = await runInContainer(
      environment,
      command,
      command.login ? this.credentials(command.login) : "",
    );
    const result = exitCode === 0 ? resultIn(output) : undefined;
    if (result === undefined) {
      this.fail(step, `${wordsOf(output)}; ${remedyOf(output)}`, shown);
      return undefined;
    }
    this.done++;
    this.options.print(`done: ${step}\n  ${shown}\n`);
    return result;
  }

  private async readOr(
    { unread, reader }: Target,
    what: string,
    read: (reader?: string) => Promise<unknown>,
  ): Promise<void> {
    if (unread === undefined) {
      await read(reader);
    } else {
      this.skip(`read ${what}`, unread);
    }
  }

  private skip(step: string, why: string): void {
    this.skipped++;
    this.options.print(`skipped: ${step}: ${why}\n`);
  }

  private fail(step: string, why: string, shown?: string): void {
    this.failures.push(`${step}: ${why}`);
    this.options.print(`failed: ${step}\n${shown === undefined ? "" : `  ${shown}\n`}`);
  }

  private credentials(login: { readonly application: string; readonly format: Format }): string {
    const { applications } = this.catalog;
    return RENDERERS[login.format](
      credentialsOf(this.environment, applications, login.application),
    );
  }

  private kafkaAddress(application: string | undefined): string {
    const declared = this.catalog.applications.find(({ name }) => name === application);
    return declared ? kafkaAddressOf(this.environment, declared) : KAFKA_BOOTSTRAP_SERVER;
  }

  private get kafkaImage(): string {
    return this.environment.kafka.image ?? KAFKA_IMAGE;
  }

  private kafka(
    script: string,
    application: string | undefined,
    ...args: string[]
  ): ContainerCommand {
    return {
      beside: this.platform.nodes("kafka")[0],
      image: this.kafkaImage,
      shell: "sh",
      script,
      args: [this.kafkaAddress(application), ...args],
      ...(application !== undefined && { login: { application, format: "properties" } }),
    };
  }

  private openSearch(
    application: string | undefined,
    method: string,
    path: string,
    ...body: string[]
  ): ContainerCommand {
    return {
      beside: this.platform.nodes("opensearch")[0],
      image: this.environment.openSearch.image ?? OPENSEARCH_IMAGE,
      shell: "bash",
      script: "open-search.sh",
      args: [method, `${openSearchUrl(isSecured(this.environment))}${path}`, ...body],
      ...(application !== undefined && { login: { application, format: "shell" } }),
    };
  }
}

interface Response {
  readonly _id?: string;
  readonly hits?: { readonly hits?: readonly { readonly _id: string }[] };
  readonly data?: { readonly result?: readonly unknown[] };
}

function jsonIn(output: string): Response | undefined {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

/** Returns where the verifiable producer of Kafka wrote its record. */
function recordIn(output: string): { partition: number; offset: number } | undefined {
  const [, json] = /^(\{.*"name":"producer_send_success".*\})$/m.exec(output) ?? [];
  return json === undefined ? undefined : JSON.parse(json);
}

/** Returns the server's words in the output of a client, without stack traces and warnings about the client's options. */
function wordsOf(output: string): string {
  const [, message] =
    /"name":"producer_send_error".*?"message":"((?:[^"\\]|\\.)*)"/.exec(output) ?? [];
  const lines = output
    .split("\n")
    .filter((line) => !/^\s*$|^\s+(at |\.\.\. \d+ more)|deprecated and will be removed/.test(line))
    .slice(-3);
  return message ?? (lines.join("\n") || "no answer");
}

function remedyOf(output: string): string {
  if (/No such image|network \S+ not found/i.test(output)) {
    return "deploy the platform first: npm run up";
  }
  return /authoriz|authentic|security_exception|error: 40[13]/i.test(output)
    ? "deploy the declared permissions and credentials: npm run up"
    : "see docs/when-something-fails.md#an-application-cannot-connect";
}
