import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createProxy } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inspectPorts } from "../../operations/machine/machine";
import { runHere, type Said } from "../support/command";

const folder = mkdtempSync(join(tmpdir(), "doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a program that runs a shell script. */
function program(name: string, script: string): void {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Runs `npm run doctor` with only these programs installed. */
const doctor = (env: NodeJS.ProcessEnv = {}) =>
  runHere(["doctor"], {
    PATH: `${folder}:${dirname(process.execPath)}`,
    HOME: folder,
    ...env,
  });

/** Returns a docker CLI with this engine. */
function engine(report: object, apiVersion: string): void {
  program(
    "docker",
    `case "$1" in
       info) echo '${JSON.stringify({ ServerVersion: "made", DockerRootDir: folder, ...report })}' ;;
       version) echo ${apiVersion} ;;
       image) shift 4; printf '"%s"\\n' "$@" ;;
     esac`,
  );
}

function row({ stdout }: Said, name: string): string | undefined {
  return stdout.split("\n").find((line) => line.startsWith(`${name} `));
}

test("a machine with nothing installed gets all problems at once", async () => {
  program("docker", "echo 'Cannot connect to the Docker daemon at unix:///made' >&2; exit 1");
  program("terraform", "exit 127");
  const result = await doctor();
  expect(result.status).toBe(1);
  expect(row(result, "Terraform")).toMatch(/^Terraform +NO +none$/);
  expect(row(result, "Docker engine")).toMatch(/^Docker engine +NO +none$/);
  expect(result.stderr).toContain(
    "- neither terraform nor tofu is on the PATH: install OpenTofu or Terraform 1.6.0 or newer (",
  );
  expect(result.stderr).toContain(
    "- no Docker engine answers: Cannot connect to the Docker daemon at unix:///made; start Docker, or set DOCKER_HOST to an engine",
  );
});

test("an old and small engine, an old Terraform and a port in use are four failures", async () => {
  engine({ MemTotal: 2 * 1024 ** 3 }, "1.40");
  program("terraform", "echo 'Terraform v1.5.7'");
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    // Uses an existing listener, if any.
    server.once("error", () => resolve(9200));
    server.listen(9200, "127.0.0.1", () => resolve(9200));
  });
  const result = await doctor();
  server.close();
  expect(result.status).toBe(1);
  expect(row(result, "Terraform")).toMatch(/NO +Terraform 1\.5\.7$/);
  expect(row(result, "Docker engine")).toMatch(/NO +made, API 1\.40$/);
  expect(row(result, "memory")).toMatch(/NO +2048 MiB$/);
  expect(row(result, `port ${port}`)).toMatch(/NO +in use$/);
  expect(row(result, "images")).toMatch(/yes +7, all available$/);
  for (const remedy of [
    /- Terraform 1\.5\.7 \(terraform\) is too old: upgrade to 1\.6\.0 or newer/,
    /- the Docker engine's API 1\.40 is too old: upgrade Docker to 20\.10 or newer/,
    /- the Docker engine has 2048 MiB of memory, but .* lower memoryScale or the number of nodes in environments\/laptop\.ts/,
    /- port 9200 on 127\.0\.0\.1 is already in use, but opensearch-1 publishes it: stop the process that uses it, or change hostPorts/,
  ]) {
    expect(result.stderr).toMatch(remedy);
  }
});

test("only ports that the platform's containers publish count as its own", async () => {
  program(
    "docker",
    `case "$*" in
       "container inspect"*opensearch-2*)
         echo 'laptop true {"9200/tcp":[{"HostIp":"127.0.0.1","HostPort":"9201"}]}'
         echo 'laptop false {"9200/tcp":[{"HostIp":"127.0.0.1","HostPort":"9202"}]}'
         echo 'lab true {"9200/tcp":[{"HostIp":"127.0.0.1","HostPort":"9203"}]}'
         exit 1 ;;
     esac`,
  );
  const ports = [1, 2, 3].map((node) => [9200 + node, `opensearch-${node}`] as const);
  const path = process.env.PATH;
  process.env.PATH = `${folder}:${path}`;
  // All ports have a listener.
  const looking = inspectPorts(
    { environment: "laptop", ports: new Map(ports) },
    undefined,
    () => false,
  );
  const looked = await looking.finally(() => {
    process.env.PATH = path;
  });
  expect(looked).toEqual({ taken: [9202, 9203], own: 1 });
});

test.each([
  [
    "is podman",
    `echo '{"host":{"arch":"amd64","memTotal":16000000000},"version":{"APIVersion":"5.4.2"}}'`,
    "- no Docker engine answers: the docker command is Podman's; remove podman-docker, and install Docker Engine with its docker CLI (https://docs.docker.com/engine/install/)\n",
  ],
  [
    "may not use the socket",
    `echo '{"ID":"","MemTotal":0,"ServerErrors":["permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get \\"http://x/info\\""]}'`,
    'at unix:///var/run/docker.sock: Get "http://x/info"; your user may not use its socket: run sudo usermod -aG docker "$USER", then log in again',
  ],
  [
    "says on its other output that it may not use the socket",
    `echo '{"ID":"","MemTotal":0}'; echo 'permission denied while trying to connect to the docker API at unix:///var/run/docker.sock' >&2; exit 1`,
    "- no Docker engine answers: permission denied while trying to connect to the docker API at unix:///var/run/docker.sock; your user may not use its socket: ",
  ],
])("a docker command that %s is named, with the remedy", async (_, info, message) => {
  program("docker", `case "$1" in info) ${info} ;; esac`);
  program("terraform", "echo 'Terraform v1.11.4'");
  const result = await doctor();
  expect(result.status).toBe(1);
  expect(result.stderr).toContain(message);
});

test("an engine's security options are listed, and missing limits have a remedy", async () => {
  engine(
    {
      MemTotal: 64 * 1024 ** 3,
      MemoryLimit: true,
      SwapLimit: false,
      SecurityOptions: ["name=seccomp,profile=builtin", "name=selinux", "name=rootless"],
    },
    "1.51",
  );
  const result = await doctor({ DOCKER_HOST: "ssh://deploy@engine" });
  expect(row(result, "security options")).toMatch(/\? +SELinux, rootless$/);
  expect(row(result, "memory limits")).toMatch(/NO +no swap limit$/);
  expect(result.stderr).toContain("- the Docker engine enforces no swap limit");
  expect(result.stderr).toContain("warning: the Docker engine is rootless");
});

test("the engine of the current Docker context is inspected and named in one line", async () => {
  program(
    "docker",
    `if [ "$1" = context ]; then
       echo '[{"Name":"other","Endpoints":{"docker":{"Host":"tcp://elsewhere:2376","SkipTLSVerify":false}},' \\
         '"TLSMaterial":{"docker":["ca.pem"]},"Storage":{"TLSPath":"/contexts/tls/1"}}]'
     elif [ "$1" = info ]; then
       echo "asked $DOCKER_HOST $DOCKER_TLS_VERIFY $DOCKER_CERT_PATH" >&2; exit 1
     fi`,
  );
  expect((await doctor()).stderr).toMatch(
    /^engine: tcp:\/\/elsewhere:2376, from Docker context "other"\n[\s\S]*- no Docker engine answers: asked tcp:\/\/elsewhere:2376 1 \/contexts\/tls\/1\/docker;/,
  );
  const named = await doctor({ DOCKER_HOST: "tcp://127.0.0.1:1" });
  expect(named.stderr).toContain("- no Docker engine answers: asked tcp://127.0.0.1:1; ");
  expect(named.stderr).not.toContain("from Docker context");
});

test("plaintext TCP to an engine is a problem in a secured environment, except to a loopback address", async () => {
  engine({ MemTotal: 64 * 1024 ** 3 }, "1.51");
  const problem = "has no TLS, and environment";
  const secured = (env: NodeJS.ProcessEnv) => doctor({ GROUNDWORK_ENV: "production", ...env });
  const plaintext = await secured({ DOCKER_HOST: "tcp://elsewhere:2375" });
  expect(plaintext.stderr).toContain(
    '- the connection to the Docker engine at tcp://elsewhere:2375 has no TLS, and environment "production" is secured: ',
  );
  for (const env of [
    { DOCKER_HOST: "tcp://elsewhere:2376", DOCKER_TLS_VERIFY: "1" },
    { DOCKER_HOST: "tcp://127.0.0.1:2375" },
    { DOCKER_HOST: "tcp://[::1]:2375" },
    { DOCKER_HOST: "tcp://localhost:2375" },
    { DOCKER_HOST: "ssh://deploy@elsewhere" },
  ]) {
    expect([env, (await secured(env)).stderr.includes(problem)]).toEqual([env, false]);
  }
});

test.each([
  ["tcp://elsewhere:2376", true, true],
  ["tcp://elsewhere:2376", false, false],
  ["tcp://127.0.0.1:2376", true, false],
])(
  "a Docker context of %s with SkipTLSVerify %j is a problem in a secured environment: %j",
  async (Host, SkipTLSVerify, isProblem) => {
    const context = {
      ...{ Name: "other", Endpoints: { docker: { Host, SkipTLSVerify } } },
      ...{ TLSMaterial: { docker: ["ca.pem"] }, Storage: { TLSPath: "/contexts/tls/1" } },
    };
    program("docker", `[ "$1" != context ] || echo '${JSON.stringify([context])}'`);
    const { stderr } = await doctor({ GROUNDWORK_ENV: "production" });
    expect(
      stderr.includes(
        `- the Docker context of ${Host} has skip-tls-verify, and environment "production" is secured: `,
      ),
    ).toBe(isProblem);
  },
);

test("a registry is reached through the proxy", async () => {
  engine({ MemTotal: 64 * 1024 ** 3 }, "1.51");
  const asked: (string | undefined)[] = [];
  const proxy = createProxy().on("connect", ({ url }, socket) => {
    asked.push(url);
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const HTTPS_PROXY = `http://127.0.0.1:${port}`;
  const { stderr } = await doctor({ HTTPS_PROXY, DOCKER_HOST: "ssh://deploy@engine" });
  proxy.close();
  expect(asked).toContain("registry.terraform.io:443");
  expect(stderr).toContain(
    "warning: Terraform may fail to download the provider kreuzwerker/docker: ",
  );
});

test("local facts of a remote engine are not reported", async () => {
  engine({ MemTotal: 64 * 1024 ** 3 }, "1.51");
  program("terraform", "echo 'Terraform v1.11.4'");
  // With a provider mirror, Terraform's registry is not checked.
  const configFile = join(folder, "terraformrc");
  writeFileSync(configFile, 'provider_installation { network_mirror { url = "https://x/" } }');
  const result = await doctor({
    DOCKER_HOST: "ssh://deploy@engine",
    TF_CLI_CONFIG_FILE: configFile,
  });
  for (const name of ["disk", "vm.max_map_count", "open files"]) {
    expect(row(result, name)).toMatch(/yes +not reported by this engine$/);
  }
  expect(row(result, "ports")).toMatch(/yes/);
  expect(result.stderr).toBe("");
  expect(result.status).toBe(0);
});

test("with several machines, each is inspected with the resources placed there", async () => {
  program(
    "docker",
    `case "$DOCKER_HOST" in
       */b.sock) echo 'Cannot connect to the Docker daemon' >&2; exit 1 ;;
     esac
     case "$DOCKER_HOST" in
       */c.sock) state=inactive manages=false ;;
       *) state=active manages=true ;;
     esac
     case "$1" in
       info)
         echo '{"MemTotal": 4294967296, "ServerVersion": "made", "DockerRootDir": "${folder}",' \\
           "\\"Swarm\\": {\\"LocalNodeState\\": \\"$state\\", \\"ControlAvailable\\": $manages}}" ;;
       version) echo 1.51 ;;
       image) shift 4; printf '"%s"\\n' "$@" ;;
       run) echo 'vm.max_map_count 262144' ;;
     esac`,
  );
  program("terraform", "echo 'Terraform v1.11.4'");
  const result = await doctor({ GROUNDWORK_ENV: "lab-three" });
  expect(result.status).toBe(1);
  expect(row(result, "Docker engine (a)")).toMatch(/yes +made, API 1\.51$/);
  expect(row(result, "Docker engine (b)")).toMatch(/NO +none$/);
  expect(row(result, "memory (c)")).toMatch(/yes +4096 MiB/);
  expect(row(result, "images (a)")).toMatch(/yes +4, all available$/);
  expect(row(result, "images (c)")).toMatch(/yes +3, all available$/);
  expect(row(result, "Swarm (a)")).toMatch(/yes +manager$/);
  expect(row(result, "Swarm (c)")).toMatch(/NO +none$/);
  expect(result.stderr).toContain(
    "- machine c: the Docker engine is not in a Swarm, which the overlay networks need: run npm run swarm",
  );
  expect(result.stdout.match(/^Terraform /gm)).toHaveLength(1);
  expect(result.stderr).toContain(
    "- machine b: no Docker engine answers at unix:///run/groundwork-lab/b.sock: Cannot connect to the Docker daemon; start Docker there, or correct its engine in machines",
  );
});

test("machines in a Swarm report which others they cannot reach, and their own facts", async () => {
  // Machine c answers only its gossip port; a has the kernel's default; b cannot pull the image.
  program(
    "docker",
    `case "$1 $2" in
       "info "*)
         printf '{"MemTotal": 4294967296, "ServerVersion": "made", "DockerRootDir": "${folder}", "ID": "%s",
           "Swarm": {"LocalNodeState": "active", "ControlAvailable": true}}' "$DOCKER_HOST" ;;
       "version "*) echo 1.51 ;;
       "image "*) shift 4; printf '"%s"\\n' "$@" ;;
       "run --rm")
         case "$*" in *ping.sh*) for name; do case "$name" in *-[ab]) echo "$name" ;; esac; done; exit ;; esac
         case "$DOCKER_HOST" in
           */a.sock) echo 'vm.max_map_count 65530' ;;
           */b.sock) echo 'docker: no such image' >&2; exit 125 ;;
           *) printf 'vm.max_map_count 262144\\ndisk 100000 12000\\n' ;;
         esac
         case "$*" in *' 10.231.86.11 2377'*) printf 'answers 10.231.86.11 2377\\nanswers 10.231.86.11 7946\\n' ;; esac
         case "$*" in *' 10.231.86.12 2377'*) printf 'answers 10.231.86.12 2377\\nanswers 10.231.86.12 7946\\n' ;; esac
         echo 'answers 10.231.86.13 7946' ;;
     esac`,
  );
  program("terraform", "echo 'Terraform v1.11.4'");
  const result = await doctor({ GROUNDWORK_ENV: "lab-three" });
  expect(row(result, "other machines (a)")).toMatch(/NO +2 failed connections$/);
  expect(row(result, "other machines (c)")).toMatch(/yes +reaches a, b$/);
  expect(result.stderr).toContain(
    "- machine a: cannot reach c at 10.231.86.13, port 2377 (TCP), c on an overlay network: allow ports 2377 (TCP), 7946 (TCP and UDP) and 4789 (UDP) between the machines in every firewall\n",
  );
  expect(row(result, "other machines (b)")).toMatch(/NO +unknown$/);
  expect(result.stderr).toContain(
    "- machine b: cannot check whether it reaches the other machines, because the container for the check did not run: docker: no such image\n",
  );
  expect(result.stderr).toContain("- machine a: vm.max_map_count is 65530: OpenSearch needs");
  expect(row(result, "vm.max_map_count (c)")).toMatch(/yes +262144$/);
  expect(row(result, "disk (c)")).toMatch(/\? +12000 MiB free of 100000 MiB$/);
  expect(result.stderr).toContain(
    "warning: machine c: the Docker engine's disk has 12000 of 100000 MiB free: OpenSearch allocates no replicas",
  );
  expect(result.status).toBe(1);
});
