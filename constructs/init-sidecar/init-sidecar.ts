import { Construct } from "constructs";
import {
  readOwnFile,
  type SecretFile,
  type UploadedFile,
  type UploadedProgram,
} from "../container/file";
import { ServiceContainer } from "../container/service-container";
import type { ServiceImage } from "../container/service-image";
import { validate } from "../container/validation";
import type { INetwork } from "../network/network";
import { VERSION } from "../version";
import { SIDECAR_DIR } from "./sidecar-dir";

/** How a sidecar waits for its cluster: exponential backoff with jitter, a cap and a deadline. */
export interface RetryProps {
  /**
   * Milliseconds of the first delay's ceiling; it doubles with every attempt.
   *
   * @default 250
   */
  readonly initialBackoffMs?: number;

  /**
   * Cap of the ceiling in milliseconds.
   *
   * @default 5000
   */
  readonly maxBackoffMs?: number;

  /**
   * `full` waits a random part of the ceiling, so that sidecars that failed together do not come back together
   * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/); `none` waits the whole.
   *
   * @default "full"
   */
  readonly jitter?: "full" | "none";

  /**
   * Seconds that one step may take, such as waiting for the quorum or creating the topics, before the sidecar gives up with
   * exit code 69. Progress starts them anew: many topics need no longer deadline than few.
   *
   * @default 60
   */
  readonly deadlineSeconds?: number;
}

export interface InitSidecarProps {
  /** Name of the container, and of the sidecar in its log. */
  readonly name: string;

  /** The cluster's own image: its tools fit the cluster. */
  readonly image: ServiceImage;

  /** The network on which the sidecar reaches the cluster. */
  readonly network: INetwork;

  /** The services that have to be healthy before the sidecar starts. */
  readonly waitFor: readonly ServiceContainer[];

  /** Content of the POSIX sh script that does the work, or starts what does it, on top of `lib.sh`. */
  readonly script: string;

  /** Names of what it provisions, for the log. */
  readonly declared: readonly string[];

  /** Files that the script reads or runs. */
  readonly files: readonly (UploadedFile | UploadedProgram)[];

  /**
   * Secrets that the script reads. A sidecar is nobody, so each has to be readable by everyone.
   *
   * @default - no secrets
   */
  readonly secrets?: readonly SecretFile[];

  /** Variables that the script reads. */
  readonly env: Readonly<Record<string, string>>;

  /**
   * How it waits for its target.
   *
   * @default - the defaults of `RetryProps`
   */
  readonly retry?: RetryProps;
}

/**
 * Scratch space of a sidecar, in memory: it keeps no state of its own. A directory that images have, since an engine gives
 * a mount point that it made itself back to root when the container starts again.
 */
const RUN_DIR = "/tmp";

/**
 * A container that runs once when its cluster is healthy and provisions what the platform declares. It creates what is
 * absent and never overwrites what is there, so that running it again is always safe. A failure fails the deploy.
 */
export class InitSidecar extends Construct {
  readonly container: ServiceContainer;

  constructor(scope: Construct, id: string, props: InitSidecarProps) {
    super(scope, id);
    const retry = resolveRetry(this, props.retry);
    const script = `${SIDECAR_DIR}/${props.name}.sh`;
    this.container = new ServiceContainer(this, "Container", {
      name: props.name,
      image: props.image,
      tier: "job",
      networks: [props.network],
      dependsOn: props.waitFor,
      // Nobody, in every image: a sidecar owns no file.
      user: "65534:65534",
      entrypoint: ["sh", `${SIDECAR_DIR}/supervise.sh`, script],
      files: [
        { path: `${SIDECAR_DIR}/supervise.sh`, content: readOwnFile(__dirname, "supervise.sh") },
        { path: `${SIDECAR_DIR}/lib.sh`, content: readOwnFile(__dirname, "lib.sh") },
        { path: script, content: props.script },
        ...props.files,
      ],
      secrets: props.secrets,
      tmpfs: { [RUN_DIR]: "size=64m,mode=1777" },
      env: {
        GROUNDWORK_SIDECAR: props.name,
        GROUNDWORK_VERSION: VERSION,
        GROUNDWORK_DECLARED: props.declared.join(" "),
        GROUNDWORK_RUN_DIR: RUN_DIR,
        GROUNDWORK_RETRY_INITIAL_MS: String(retry.initialBackoffMs),
        GROUNDWORK_RETRY_MAX_MS: String(retry.maxBackoffMs),
        GROUNDWORK_RETRY_JITTER: retry.jitter,
        GROUNDWORK_DEADLINE_SECONDS: String(retry.deadlineSeconds),
        ...props.env,
      },
    });
  }
}

function resolveRetry(scope: Construct, props: RetryProps = {}): Required<RetryProps> {
  const retry = {
    initialBackoffMs: props.initialBackoffMs ?? 250,
    maxBackoffMs: props.maxBackoffMs ?? 5000,
    jitter: props.jitter ?? "full",
    deadlineSeconds: props.deadlineSeconds ?? 60,
  };
  const { initialBackoffMs, maxBackoffMs, deadlineSeconds } = retry;
  validate(
    initialBackoffMs >= 1 && initialBackoffMs <= maxBackoffMs,
    () =>
      `initialBackoffMs is ${initialBackoffMs} and maxBackoffMs is ${maxBackoffMs}: the first has to be at least 1 and at most the second`,
    scope,
  );
  validate(
    deadlineSeconds * 1000 >= maxBackoffMs,
    () =>
      `deadlineSeconds is ${deadlineSeconds} and maxBackoffMs is ${maxBackoffMs}: the deadline has to leave room for one longest delay; raise it or lower the cap`,
    scope,
  );
  return retry;
}
