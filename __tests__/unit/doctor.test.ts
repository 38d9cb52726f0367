import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ROOT = join(__dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program of that name that does what a shell script says. */
function program(name: string, script: string): void {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** `npm run doctor` where no other programs are installed than those. */
function doctor(env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ["-r", "sucrase/register", "commands/doctor.ts"], {
    cwd: ROOT,
    encoding: "utf8",
    env: { PATH: `${folder}:${dirname(process.execPath)}`, HOME: folder, ...env },
  });
}

/** A docker CLI whose engine is like that. */
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

function row({ stdout }: SpawnSyncReturns<string>, name: string): string | undefined {
  return stdout.split("\n").find((line) => line.startsWith(`${name} `));
}

test("a machine without anything is told all that it lacks at once", () => {
  program("docker", "echo 'Cannot connect to the Docker daemon at unix:///made' >&2; exit 1");
  program("terraform", "exit 127");
  const result = doctor();
  expect(result.status).toBe(1);
  expect(row(result, "Terraform")).toMatch(/^Terraform +NO +none$/);
  expect(row(result, "Docker engine")).toMatch(/^Docker engine +NO +none$/);
  expect(result.stderr).toContain(
    "- neither terraform nor tofu is on the PATH: install Terraform or OpenTofu 1.6.0 or newer",
  );
  expect(result.stderr).toContain(
    "- no Docker engine answers: Cannot connect to the Docker daemon at unix:///made; start Docker, or point DOCKER_HOST to an engine",
  );
});

test("an engine that is too old and too small, a Terraform that is too old and a port that is taken are four failures", async () => {
  engine({ MemTotal: 2 * 1024 ** 3 }, "1.40");
  program("terraform", "echo 'Terraform v1.5.7'");
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    // Where something listens already, that will do.
    server.once("error", () => resolve(9200));
    server.listen(9200, "127.0.0.1", () => resolve(9200));
  });
  const result = doctor();
  server.close();
  expect(result.status).toBe(1);
  expect(row(result, "Terraform")).toMatch(/NO +Terraform 1\.5\.7$/);
  expect(row(result, "Docker engine")).toMatch(/NO +made, API 1\.40$/);
  expect(row(result, "memory")).toMatch(/NO +2048 MiB$/);
  expect(row(result, `port ${port}`)).toMatch(/NO +taken$/);
  expect(row(result, "images")).toMatch(/yes +7, all can be had$/);
  for (const remedy of [
    /- Terraform \(terraform\) is 1\.5\.7: 1\.6\.0 or newer is needed; upgrade it/,
    /- the engine's API is 1\.40: 1\.41 or newer is needed \(Docker 20\.10\); upgrade Docker/,
    /- the engine has 2048 MiB of memory and .* lower memoryScale or the number of nodes in environments\/laptop\.ts/,
    /- port 9200 on 127\.0\.0\.1 is taken and opensearch-1 is to publish it: stop what uses it, or change hostPorts/,
  ]) {
    expect(result.stderr).toMatch(remedy);
  }
});

test("of an engine elsewhere nothing is said that only this machine knows", () => {
  engine({ MemTotal: 64 * 1024 ** 3 }, "1.51");
  program("terraform", "echo 'Terraform v1.11.4'");
  // What Terraform has to get and where from is told by a mirror of one's own.
  const configFile = join(folder, "terraformrc");
  writeFileSync(configFile, 'provider_installation { network_mirror { url = "https://x/" } }');
  const result = doctor({ DOCKER_HOST: "ssh://deploy@engine", TF_CLI_CONFIG_FILE: configFile });
  for (const name of ["disk", "vm.max_map_count", "open files"]) {
    expect(row(result, name)).toMatch(/yes +not told by this engine$/);
  }
  expect(row(result, "ports")).toMatch(/yes/);
  expect(result.stderr).toBe("");
  expect(result.status).toBe(0);
});
