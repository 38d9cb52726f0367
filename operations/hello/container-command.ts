import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quoted } from "../../constructs/container/text-file";
import type { Environment } from "../../environments";
import { engineOf } from "../../stacks/placement";
import type { Format } from "../credentials/formats";
import { type Outcome, tryDockerAt, tryDockerWithInput } from "../engine/docker";

/** A script of this folder in a new container on the project network, as an application runs. */
export interface ContainerCommand {
  /** Container whose engine runs the command, since that has the image. */
  readonly beside: string;
  readonly image: string;
  readonly shell: "sh" | "bash";
  readonly script: string;
  readonly args: readonly string[];
  /** Application whose credentials the script gets on standard input. @default - none */
  readonly login?: { readonly application: string; readonly format: Format };
}

/** The value of the label `groundwork.service`, the name in logs. */
export const SERVICE = "hello";

/** Returns the arguments of docker, with the script as `shown`. */
function argumentsOf(
  { networks }: Environment,
  { image, shell, script, args, login }: ContainerCommand,
  shown: string,
): string[] {
  return [
    ...["run", "--rm", ...(login ? ["--interactive"] : []), "--pull", "never"],
    ...["--network", networks.project.name, "--label", `groundwork.service=${SERVICE}`],
    ...["--entrypoint", shell, image, "-c", shown, script, ...args],
  ];
}

/** Runs the command. Credentials are only in its standard input. */
export function runInContainer(
  environment: Environment,
  command: ContainerCommand,
  input: string,
): Promise<Outcome> {
  const script = readFileSync(join(__dirname, command.script), "utf8");
  const engine = engineOf(environment, command.beside);
  const args = argumentsOf(environment, command, script);
  return command.login ? tryDockerWithInput(engine, input, ...args) : tryDockerAt(engine, ...args);
}

/** Renders the command for a shell in the project's folder. */
export function renderCommand(environment: Environment, command: ContainerCommand): string {
  const { login, script } = command;
  const text = `"$(cat operations/hello/${script})"`;
  const words = argumentsOf(environment, command, text).map((word) =>
    word === text || /^[\w.,:/=@-]+$/.test(word) ? word : quoted(word),
  );
  const host = environment.machines && engineOf(environment, command.beside)?.host;
  return [
    ...(login
      ? [
          `GROUNDWORK_ENV=${environment.name} npx groundwork credentials ${login.application} --format ${login.format} |`,
        ]
      : []),
    ...(host ? [`DOCKER_HOST=${host}`] : []),
    ...["docker", ...words],
  ].join(" ");
}
