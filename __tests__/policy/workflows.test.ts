import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { parse } from "yaml";
import { environments } from "../../environments";
import { GREEN_FILE } from "../e2e/stale";
import type { Json } from "../support/platform";
import { ROOT } from "../support/root";

const FOLDER = join(ROOT, ".github", "workflows");
const workflows = readdirSync(FOLDER).map((name) => {
  const content = readFileSync(join(FOLDER, name), "utf8");
  return { name, content, body: parse(content) as Json };
});
const find = (name: string) => workflows.find((workflow) => workflow.name === name)?.body as Json;
const stepsOf = (body: Json): Json[] =>
  Object.values<Json>(body.jobs).flatMap(({ steps = [] }) => steps);

function schemaErrors(name: string, content: string): string[] {
  const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}

test("the workflows are these", () => {
  expect(workflows.map(({ name }) => name).sort()).toEqual([
    "comment.yml",
    "deploy.yml",
    "drift.yml",
    "nightly.yml",
    "plan.yml",
    "preview.yml",
    "renew.yml",
    "test.yml",
  ]);
});

describe.each(workflows)("$name", ({ name, content, body }) => {
  test("is a workflow by GitHub's own schema", () => {
    expect(schemaErrors(name, content)).toEqual([]);
    expect(schemaErrors(name, content.replace("runs-on:", "run-on:"))).toContainEqual(
      expect.stringContaining("Unexpected value 'run-on'"),
    );
  });

  test("pins every action to a commit, with its version beside it", () => {
    const used = [...content.matchAll(/uses: (.*)/g)].map(([, action]) => action);
    expect(used.length).toBeGreaterThan(0);
    expect(
      used.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action)),
    ).toEqual([]);
  });

  test("has only read permissions, unless a job declares more", () => {
    expect([{}, { contents: "read" }]).toContainEqual(body.permissions);
  });

  test("has a concurrency group and a timeout", () => {
    expect(body.concurrency.group).toContain("${{");
    expect(Object.values<Json>(body.jobs).filter((job) => !job["timeout-minutes"])).toEqual([]);
  });

  test("keeps no credentials in the checkout", () => {
    const checkouts = stepsOf(body).filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkouts.filter((step) => step.with?.["persist-credentials"] !== false)).toEqual([]);
  });

  test("interpolates no expression into a script", () => {
    const scripts = stepsOf(body).map(({ run, with: inputs }) => run ?? inputs?.script ?? "");
    expect(scripts.filter((script: string) => script.includes("${{"))).toEqual([]);
  });
});

test("no secret reaches a workflow that runs the code of a fork", () => {
  const runsIt = workflows.filter(({ body }) => "pull_request" in body.on);
  expect(runsIt.map(({ name }) => name).sort()).toEqual(["plan.yml", "preview.yml", "test.yml"]);
  const withSecrets = runsIt.filter(({ content }) => content.includes("secrets."));
  expect(withSecrets.map(({ name }) => name)).toEqual(["plan.yml"]);
  expect(workflows.filter(({ content }) => content.includes("pull_request_target"))).toEqual([]);
});

test("a plan runs only for the project's own branches, with the secrets of a GitHub environment", () => {
  const { jobs } = find("plan.yml");
  expect(Object.keys(jobs)).toEqual(["plan"]);
  expect(jobs.plan.if).toContain(
    "github.event.pull_request.head.repo.full_name == github.repository",
  );
  expect(jobs.plan.environment).toBe("plan");
});

test("preview and plan upload the files that the comment reads", () => {
  const { on, jobs } = find("comment.yml");
  const [download, comment] = jobs.comment.steps;
  expect(on.workflow_run.workflows).toEqual(["preview", "plan"]);
  for (const name of on.workflow_run.workflows) {
    const { name: title, jobs: made } = find(`${name}.yml`);
    const [run, upload] = made[name].steps.slice(-2);
    expect([title, upload.with.name, upload.with.path]).toEqual([name, name, "comment/"]);
    for (const file of ["comment/number", "comment/text.md"]) {
      expect(run.run).toContain(`> ${file}`);
      expect(comment.with.script).toContain(file);
    }
  }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
  expect(download.with.name).toBe("${{ github.event.workflow_run.name }}");
});

test("the workflow that may write comments runs no code of the pull request", () => {
  const comment = find("comment.yml");
  expect(comment.jobs.comment.permissions).toEqual({ actions: "read", "pull-requests": "write" });
  expect(stepsOf(comment).filter(({ run, uses }) => run || uses?.includes("checkout"))).toEqual([]);
});

test.each(["deploy.yml", "plan.yml", "drift.yml", "renew.yml"])(
  "%s shows where the variables of the catalog go, such as the heartbeat's address",
  (file) => {
    const { content = "" } = workflows.find(({ name }) => name === file) ?? {};
    const uncommented = content.replace(/^( +)# (TF_VAR_\w+: .*)$/gm, "$1$2");
    const withVariables = Object.values<Json>(parse(uncommented).jobs).flatMap(({ env = {} }) =>
      "TF_VAR_grafana_admin_password" in env ? [env] : [],
    );
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    const secret = "${{ secrets.HEARTBEAT_URL }}";
    expect(withVariables.map((env) => env.TF_VAR_heartbeat_url)).toEqual([secret]);
    expect(schemaErrors(file, uncommented)).toEqual([]);
    expect(content).not.toBe(uncommented);
  },
);

describe("what the nightly job records", () => {
  const { suite, record } = find("nightly.yml").jobs;
  const [{ with: input }] = record.steps;

  /** Runs the job's script against a repository with recorded runs. Returns what it writes. */
  async function recorded(conclusions: Readonly<Record<string, string>>): Promise<Json> {
    const before = JSON.stringify({ rolling: "before", state: "before" });
    const createOrUpdateFileContents = jest.fn();
    const github = {
      paginate: async () =>
        Object.entries(conclusions).map(([name, conclusion]) => ({ name, conclusion })),
      rest: {
        actions: {},
        repos: {
          getContent: async () => ({
            data: { sha: "blob", content: Buffer.from(before).toString("base64") },
          }),
          createOrUpdateFileContents,
        },
      },
    };
    const context = { repo: { owner: "somebody", repo: "groundwork" }, runId: 1, sha: "tonight" };
    const script = new Function(
      ...["github", "context", "core"],
      `return (async () => {${input.script}})()`,
    );
    await script(github, context, { info: () => undefined });
    return createOrUpdateFileContents.mock.calls.map(([written]) => written);
  }

  test("is every suite that is green on main, by the conclusion of its job", async () => {
    const job = (name: string) => suite.name.replace(/\$\{\{.*\}\}/, name);
    const [written, ...more] = await recorded({
      [job("state")]: "success",
      [job("rolling")]: "failure",
      [job("adopt")]: "success",
      record: "success",
    });
    expect(more).toEqual([]);
    expect(written).toMatchObject({ branch: "main", path: GREEN_FILE, sha: "blob" });
    expect(Buffer.from(written.content, "base64").toString()).toBe(
      '{\n  "adopt": "tonight",\n  "rolling": "before",\n  "state": "tonight"\n}\n',
    );
    expect(record.if).toContain("github.ref == 'refs/heads/main'");
  });

  test("is nothing if no suite is green", async () => {
    expect(await recorded({ "suite state": "failure" })).toEqual([]);
  });

  test("is written by a job that runs no code of the repository", () => {
    expect(record.permissions).toEqual({ actions: "read", contents: "write" });
    expect(record.steps.map(({ uses, run }: Json) => [uses?.split("@")[0], run])).toEqual([
      ["actions/github-script", undefined],
    ]);
  });
});

test("a deploy needs the approval of an environment that exists, and a commit on main", () => {
  const { on, jobs } = find("deploy.yml");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
  expect(jobs.deploy.environment).toBe("${{ inputs.environment }}");
  expect(on.workflow_dispatch.inputs["allow-data-loss"].default).toBe(false);
  expect(jobs.deploy.steps.slice(-2)).toEqual([
    { if: "inputs.allow-data-loss == false", run: "npm run up" },
    { if: "inputs.allow-data-loss", run: "npm run up -- --allow-data-loss" },
  ]);
  expect(jobs.deploy.if).toBe("github.ref == 'refs/heads/main'");
  const { options } = on.workflow_dispatch.inputs.environment;
  expect(options.filter((name: string) => !(name in environments))).toEqual([]);
});

test("no two workflows share a concurrency group, since one that waits for approval would block the other", () => {
  const groups = workflows.map(({ body }) => body.concurrency.group.replace(/\$\{\{.*\}\}/, "<>"));
  expect(groups.filter((group, i) => groups.indexOf(group) !== i)).toEqual([]);
});

describe("the scheduled renewal of certificates", () => {
  const { on, jobs } = find("renew.yml");
  const deploy = find("deploy.yml");

  /** Runs the script that finds the commit. Deployments are given newest first, with their states. */
  async function deployedCommit(states: Readonly<Record<string, readonly string[]>>) {
    const shas = Object.keys(states);
    const github = {
      rest: {
        repos: {
          listDeployments: async ({ environment }: Json) => ({
            data: environment === "production" ? shas.map((sha, id) => ({ id, sha })) : [],
          }),
          listDeploymentStatuses: async ({ deployment_id }: Json) => ({
            data: states[shas[deployment_id]].map((state) => ({ state })),
          }),
        },
      },
    };
    const script = new Function(
      ...["github", "context", "process"],
      `return (async () => {${jobs.renew.steps[0].with.script}})()`,
    );
    const environment = { env: { ENVIRONMENT: "production" } };
    return script(github, { repo: { owner: "somebody", repo: "groundwork" } }, environment);
  }

  test("runs often enough between the renewal and the alert, without approval, and only where it is configured", () => {
    // Days 1 and 4: at most four days apart, and nine days are between 30 and 21 days left.
    expect(on.schedule).toEqual([{ cron: "43 3 * * 1,4" }]);
    expect(jobs.renew.environment).toBe("renew");
    expect(jobs.renew.if).toBe(
      "github.ref == 'refs/heads/main' && vars.GROUNDWORK_RENEW_ENV != ''",
    );
  });

  test("deploys nothing but the commit that was deployed last, as a deploy does", () => {
    const [, checkout, ...steps] = jobs.renew.steps;
    const [, ...deploySteps] = deploy.jobs.deploy.steps;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    expect(checkout.with.ref).toBe("${{ steps.last.outputs.result }}");
    expect(steps.slice(0, -1)).toEqual(deploySteps.slice(0, -2));
    expect(steps.at(-1)).toEqual({ run: "npm run rotate -- certificates --due" });
    expect(jobs.renew["runs-on"]).toEqual(deploy.jobs.deploy["runs-on"]);
    const { GROUNDWORK_ENV, ...env } = jobs.renew.env;
    expect(deploy.jobs.deploy.env).toMatchObject(env);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    expect(GROUNDWORK_ENV).toBe("${{ vars.GROUNDWORK_RENEW_ENV }}");
  });

  test("skips deploys that wait for approval, and takes the newest that succeeded", async () => {
    expect(
      await deployedCommit({
        c: ["waiting"],
        b: ["inactive", "success", "in_progress"],
        a: ["success"],
      }),
    ).toBe("b");
  });

  test.each<[Record<string, string[]>, string]>([
    ...[["failure", "in_progress"], ["in_progress"]].map(
      (b): [Record<string, string[]>, string] => [
        { b, a: ["success"] },
        "the last deploy of production, of b, has not succeeded: wait if it runs, otherwise run the workflow deploy, which renews certificates too",
      ],
    ),
    [{}, "environment production was never deployed by the workflow deploy: deploy it first"],
  ])("renews nothing after %j", async (states, message) => {
    await expect(deployedCommit(states)).rejects.toThrow(message);
  });

  test("asks for the deployed commit once it has the runner, before any code of the repository", () => {
    expect(Object.keys(jobs)).toEqual(["renew"]);
    expect(jobs.renew.permissions).toEqual({ contents: "read", deployments: "read" });
    const [{ id, uses }] = jobs.renew.steps;
    expect([id, uses.split("@")[0]]).toEqual(["last", "actions/github-script"]);
  });
});

describe("the scheduled search for drift", () => {
  const { jobs } = find("drift.yml");
  const deploy = find("deploy.yml");
  const MARK = "<!-- groundwork drift production -->";

  /** Runs the script that finds the commit. Deployments are given newest first, with their states. */
  async function deployedCommit(states: Readonly<Record<string, readonly string[]>>) {
    const shas = Object.keys(states);
    const github = {
      rest: {
        repos: {
          listDeployments: async () => ({ data: shas.map((sha, id) => ({ id, sha })) }),
          listDeploymentStatuses: async ({ deployment_id }: Json) => ({
            data: states[shas[deployment_id]].map((state) => ({ state })),
          }),
        },
      },
    };
    const script = new Function(
      ...["github", "context", "process", "core"],
      `return (async () => {${jobs.compare.steps[0].with.script}})()`,
    );
    const outputs: Record<string, string> = {};
    const core = {
      setOutput: (name: string, value: string) => {
        outputs[name] = value;
      },
    };
    const commit = await script(github, { repo: {} }, { env: { ENVIRONMENT: "production" } }, core);
    return { commit, ...outputs };
  }

  /** Runs the script that reports, in a repository with these open issues. Returns the requests that change something. */
  async function reported(
    status: string,
    issues: readonly Json[] = [],
    text = "environment has drift",
  ): Promise<Json[]> {
    const requests: Json[] = [];
    const record = (name: string) => async (request: Json) => {
      requests.push({ name, ...request });
    };
    const listForRepo = () => undefined;
    const github = {
      paginate: async (list: unknown, { state, creator }: Json) => {
        expect([list, state, creator]).toEqual([listForRepo, "open", "github-actions[bot]"]);
        return issues;
      },
      rest: {
        issues: {
          listForRepo,
          create: record("create"),
          update: record("update"),
          createComment: record("createComment"),
        },
      },
    };
    const [, { with: input }] = jobs.report.steps;
    const script = new Function(
      ...["github", "context", "process", "require"],
      `return (async () => {${input.script}})()`,
    );
    const context = {
      ...{ serverUrl: "https://github.com", runId: 7 },
      repo: { owner: "somebody", repo: "groundwork" },
    };
    await script(github, context, { env: { ENVIRONMENT: "production", STATUS: status } }, () => ({
      readFileSync: (file: string) => {
        expect(file).toBe("drift/text.md");
        return text;
      },
    }));
    return requests;
  }

  const OPEN = { number: 5, body: `${MARK}\nolder` };
  const OTHERS = [
    { number: 1, body: null },
    { number: 2, body: `Quoted: ${MARK}` },
    { number: 3, body: "<!-- groundwork drift staging -->" },
  ];

  test("runs without approval, and only where it is configured", () => {
    expect(jobs.compare.environment).toBe("drift");
    expect(jobs.compare.if).toBe(
      "github.ref == 'refs/heads/main' && vars.GROUNDWORK_DRIFT_ENV != ''",
    );
  });

  test("compares with the commit that was deployed last, on the runner of a deploy and with its settings", () => {
    const [, checkout, ...steps] = jobs.compare.steps;
    const [, ...deploySteps] = deploy.jobs.deploy.steps;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    expect(checkout.with.ref).toBe("${{ steps.last.outputs.result }}");
    expect(steps.slice(0, -3)).toEqual(deploySteps.slice(0, -2));
    expect(jobs.compare["runs-on"]).toEqual(deploy.jobs.deploy["runs-on"]);
    const { GROUNDWORK_ENV, ...env } = jobs.compare.env;
    expect(deploy.jobs.deploy.env).toMatchObject(env);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's own expression
    expect(GROUNDWORK_ENV).toBe("${{ vars.GROUNDWORK_DRIFT_ENV }}");
  });

  test("renews certificates that are due before it compares, with a switch of its own, and not after a failed deploy", () => {
    const names = jobs.compare.steps.map(({ name }: Json) => name);
    const renew = names.indexOf("Renew certificates that are due");
    expect(names.indexOf("Compare the platform with its declaration")).toBe(renew + 1);
    expect(jobs.compare.steps[renew]).toMatchObject({
      if: "vars.GROUNDWORK_DRIFT_RENEWS == 'true' && steps.last.outputs.succeeded == 'true'",
      run: "npm run rotate -- certificates --only-if-due",
    });
    // A deploy takes as long as in the workflow renew.
    expect(jobs.compare["timeout-minutes"]).toBe(find("renew.yml").jobs.renew["timeout-minutes"]);
  });

  test.each([
    [0, "status=0\n", 0],
    [2, "status=2\n", 0],
    [3, "status=3\n", 0],
    [1, "", 1],
  ])("after exit code %i of the command the report gets %j", (exitCode, output, expected) => {
    const folder = mkdtempSync(join(tmpdir(), "drift-"));
    writeFileSync(join(folder, "npm"), `#!/bin/sh\necho "$*"\nexit ${exitCode}\n`, { mode: 0o755 });
    const files = {
      GITHUB_OUTPUT: join(folder, "output"),
      GITHUB_STEP_SUMMARY: join(folder, "sum"),
    };
    const [compare] = jobs.compare.steps.slice(-2);
    writeFileSync(files.GITHUB_OUTPUT, "");
    const { status } = spawnSync("bash", ["-e", "-c", compare.run], {
      cwd: folder,
      env: { PATH: `${folder}:${process.env.PATH}`, ...files },
    });
    expect([status, readFileSync(files.GITHUB_OUTPUT, "utf8")]).toEqual([expected, output]);
    expect(readFileSync(files.GITHUB_STEP_SUMMARY, "utf8")).toBe(
      "run --silent drift -- --format markdown\n",
    );
    rmSync(folder, { recursive: true });
  });

  test("what is left of a deploy that failed is drift from its commit, and one that waits for approval is none", async () => {
    const states = { c: ["waiting"], b: ["failure", "in_progress"], a: ["success"] };
    expect(await deployedCommit(states)).toEqual({ commit: "b", succeeded: "false" });
    expect(await deployedCommit({ a: ["inactive", "success"] })).toMatchObject({
      succeeded: "true",
    });
    await expect(deployedCommit({})).rejects.toThrow(
      "environment production was never deployed by the workflow deploy: deploy it first",
    );
  });

  test("opens one issue with the report, and keeps it up to date", async () => {
    const [opened, ...more] = await reported("2", OTHERS);
    expect(more).toEqual([]);
    expect(opened).toMatchObject({
      ...{ name: "create", title: "Drift in environment production", labels: ["drift"] },
      body: expect.stringMatching(new RegExp(`^${MARK}\nenvironment has drift\n`)),
    });
    expect(await reported("2", [...OTHERS, OPEN])).toEqual([
      expect.objectContaining({ name: "update", issue_number: 5, body: opened.body }),
    ]);
  });

  test.each([
    ["in a list", ["## Notes", ""], [], "- `` topic orders differs ``", ""],
    [
      "in a table that unfolds",
      ["<details open><summary>a: 1</summary>", "", "</details>", "", "<details open>", ""],
      ["", "</details>"],
      "| `~` | topic orders, updated in place | |",
      "\n\n</details>",
    ],
  ])(
    "cuts a report that GitHub would refuse at the end of a line %s, and says where the rest is",
    async (_, before, after, line, closed) => {
      const text = [...before, ...Array(3000).fill(line), ...after].join("\n");
      const [{ body }] = await reported("2", [], text);
      const run = "https://github.com/somebody/groundwork/actions/runs/7";
      expect(body.length).toBeLessThan(65_536);
      const [shown, rest] = body.split(`\n\nand more: ${run}\n\nAs of ${run}.`);
      expect(rest).toContain("keeps this issue up to date");
      expect(shown.endsWith(`\n${line}${closed}`)).toBe(true);
      expect(shown.length).toBeGreaterThan(59_900);
    },
  );

  test("closes the issue once there is no drift, and only its own", async () => {
    expect(await reported("0", [...OTHERS, OPEN])).toEqual([
      expect.objectContaining({ name: "createComment", issue_number: 5 }),
      expect.objectContaining({ name: "update", issue_number: 5, state: "closed" }),
    ]);
    expect(await reported("0", OTHERS)).toEqual([]);
  });

  test("neither opens nor closes an issue while a deploy runs", () => {
    expect(jobs.report.if).toBe("needs.compare.outputs.status != '3'");
    expect(jobs.report.needs).toBe("compare");
  });

  test("says nothing after a failure", async () => {
    await expect(reported("", [OPEN])).rejects.toThrow(
      'the comparison ended with status "", which says nothing about drift',
    );
  });

  test("asks for the deployed commit once it has the runner, before any code of the repository", () => {
    expect(jobs.compare.permissions).toEqual({ contents: "read", deployments: "read" });
    const [{ id, uses }] = jobs.compare.steps;
    expect([id, uses.split("@")[0]]).toEqual(["last", "actions/github-script"]);
  });

  test("writes issues in a job that runs no code of the repository", () => {
    expect(Object.keys(jobs)).toEqual(["compare", "report"]);
    expect(jobs.report.permissions).toEqual({ issues: "write" });
    expect(jobs.report.steps.map(({ uses, run }: Json) => [uses?.split("@")[0], run])).toEqual([
      ["actions/download-artifact", undefined],
      ["actions/github-script", undefined],
    ]);
  });
});
