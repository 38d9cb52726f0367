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

/** How a sidecar retries: exponential backoff with jitter, a cap and a deadline. */
export interface RetryProps {
  /**
   * The ceiling of the first delay in milliseconds. It doubles with every attempt.
   *
   * @default 250
   */
  readonly initialBackoffMs?: number;

  /**
   * The maximum of the ceiling in milliseconds.
   *
   * @default 5000
   */
  readonly maxBackoffMs?: number;

  /**
   * `full` waits a random part of the ceiling, so that sidecars that failed together do not retry together
   * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). `none` waits the whole ceiling.
   *
   * @default "full"
   */
  readonly jitter?: "full" | "none";

  /**
   * The deadline of one step, such as waiting for the quorum or creating the topics, in seconds. The sidecar then gives up with exit
   * code 69. Progress restarts the deadline, so that it does not depend on the number of topics.
   *
   * @default 60
   */
  readonly deadlineSeconds?: number;
}

export interface InitSidecarProps {
  /** The name of the container, and of the sidecar in its log. */
  readonly name: string;

  /** The cluster's image, whose tools match the cluster. */
  readonly image: ServiceImage;

  /** The network on which the sidecar reaches the cluster. */
  readonly network: INetwork;

  /** The services that must be healthy, and the sidecars that must have succeeded, before the sidecar starts. */
  readonly waitFor: readonly ServiceContainer[];

  /** The POSIX sh script that provisions, or starts a program that does. It sources `lib.sh`. */
  readonly script: string;

  /** The names of the provisioned resources, for the log. */
  readonly declared: readonly string[];

  /** The files that the script reads or runs. */
  readonly files: readonly (UploadedFile | UploadedProgram)[];

  /**
   * The secrets that the script reads. A sidecar runs as `nobody`, so they must be readable by everyone.
   *
   * @default - no secrets
   */
  readonly secrets?: readonly SecretFile[];

  /**
   * The generation of the secrets with which the sidecar is created, for the label `groundwork.secrets-generation`.
   *
   * @default - no label
   */
  readonly secretsGeneration?: string;

  /** The environment variables that the script reads. */
  readonly env: Readonly<Record<string, string>>;

  /**
   * How the sidecar retries.
   *
   * @default - the defaults of `RetryProps`
   */
  readonly retry?: RetryProps;
}

/**
 * Scratch space of a sidecar, in memory. It must exist in the image, since Docker resets a mount point that it created itself to root when
 * the container restarts.
 */
const RUN_DIR = "/tmp";

/**
 * A container that runs once its cluster is healthy and provisions the declared resources. It creates what is missing, applies what is
 * declared and leaves what somebody changed, so you can run it again at any time. If it fails, the deploy fails.
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
      // `nobody` in every image.
      user: "65534:65534",
      entrypoint: ["sh", `${SIDECAR_DIR}/supervise.sh`, script],
      files: [
        { path: `${SIDECAR_DIR}/supervise.sh`, content: readOwnFile(__dirname, "supervise.sh") },
        { path: `${SIDECAR_DIR}/lib.sh`, content: readOwnFile(__dirname, "lib.sh") },
        { path: script, content: props.script },
        ...props.files,
      ],
      secrets: props.secrets,
      secretsGeneration: props.secretsGeneration,
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
      `initialBackoffMs is ${initialBackoffMs} and maxBackoffMs is ${maxBackoffMs}: initialBackoffMs must be from 1 to maxBackoffMs`,
    scope,
  );
  validate(
    deadlineSeconds * 1000 >= maxBackoffMs,
    () =>
      `deadlineSeconds is ${deadlineSeconds} and maxBackoffMs is ${maxBackoffMs}: the deadline must not be shorter than maxBackoffMs; raise deadlineSeconds or lower maxBackoffMs`,
    scope,
  );
  return retry;
}
