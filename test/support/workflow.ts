import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import { parse } from "yaml";
import { run } from "../../infra/exec.ts";
import { projectRoot } from "../../infra/paths.ts";

/** The parts of a workflow that are used here: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax */
export interface Step {
  id?: string;
  name?: string;
  if?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
export interface Job {
  name?: string;
  uses?: string;
  if?: string;
  needs?: string | string[];
  environment?: string;
  permissions?: Record<string, string>;
  concurrency?: { group: string; "cancel-in-progress": boolean | string };
  "timeout-minutes"?: number;
  outputs?: Record<string, string>;
  env?: Record<string, string>;
  with?: Record<string, string>;
  secrets?: Record<string, string> | "inherit";
  steps?: Step[];
  strategy?: { matrix: { stack: string | string[]; exclude?: { stack: string }[] } };
}
export interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  concurrency?: { group: string; "cancel-in-progress": boolean | string };
  jobs: Record<string, Job>;
}

export const WORKFLOWS = join(projectRoot, ".github/workflows");

export const readWorkflow = async (file: string, folder = WORKFLOWS): Promise<Workflow> =>
  parse(await readFile(join(folder, file), "utf8"));

type Value = string | boolean | number | null | Value[] | { [key: string]: Value };
export type Contexts = Record<string, Value>;
export type Result = "success" | "failure" | "skipped";

/** One expression, evaluated by GitHub's own library. `result` is what `success()` and `failure()` look at. */
export function evaluate(expression: string, contexts: Contexts, result: Result = "success"): Value {
  const status = {
    success: result === "success",
    failure: result === "failure",
    cancelled: false,
    always: true,
  };
  const functions = Object.entries(status).map(([name, value]) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(value),
  }));
  const tree = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), functions).parse();
  const known = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  const found = new Evaluator(tree, known, new Map(functions.map((one) => [one.name, one]))).evaluate();
  return JSON.parse(JSON.stringify(found, data.replacer) ?? "null");
}

/** A text with its `${{ }}` filled in. */
export const fill = (text: unknown, contexts: Contexts): string =>
  String(text ?? "").replace(/\$\{\{(.*?)\}\}/gs, (_, inner) => String(evaluate(inner, contexts) ?? ""));

/** `if:` of a job or a step: without a function of its own it means `success() && (…)`. */
export function holds(condition: string | undefined, contexts: Contexts, result: Result): boolean {
  const bare = (condition ?? "success()").replace(/^\s*\$\{\{(.*)\}\}\s*$/s, "$1");
  const whole = /\b(success|failure|cancelled|always)\(\)/.test(bare) ? bare : `success() && (${bare})`;
  return evaluate(whole, contexts, result) === true;
}

export interface StepRun {
  job: string;
  /** Its name, action or first line. */
  step: string;
  outcome: Result;
  output: string;
}

/** What is not GitHub's here. */
export interface Runner {
  github: Contexts;
  /** Repository variables. */
  vars: Record<string, string>;
  /** Variables and secrets of an environment. */
  environment: (name: string) => { vars: Record<string, string>; secrets: Record<string, string> };
  /** The environment of a job's shell. */
  env: (job: string) => Record<string, string | undefined>;
  /** What an action does, by its name; it may add to the environment of later steps. @throws Error when it fails */
  actions: Record<string, (action: ActionRun) => Promise<Record<string, string> | undefined>>;
  /** Called jobs that are taken for done. */
  skip?: (job: string) => boolean;
}

export interface ActionRun {
  job: string;
  /** Folder of the checkout. */
  folder: string;
  with: Record<string, string>;
  env: Record<string, string | undefined>;
}

export interface WorkflowRun {
  jobs: Record<string, Result>;
  steps: StepRun[];
}

interface Call {
  inputs: Record<string, string>;
  secrets: Record<string, string>;
  prefix: string;
}

/** Run the jobs of a workflow one after the other: its own conditions, its own shell steps, and `runner` for the rest. */
export async function runWorkflow(
  file: string,
  runner: Runner,
  call: Call = { inputs: {}, secrets: {}, prefix: "" },
): Promise<WorkflowRun> {
  const workflow = await readWorkflow(file);
  const done: WorkflowRun = { jobs: {}, steps: [] };
  const needs: Record<string, { result: Result; outputs: Record<string, string> }> = {};
  for (const [id, job] of Object.entries(workflow.jobs)) {
    const contexts: Contexts = { github: runner.github, vars: runner.vars, inputs: call.inputs };
    const needed = [job.needs ?? []].flat();
    const wanted = { ...contexts, needs: Object.fromEntries(needed.map((one) => [one, needs[one] ?? {}])) };
    // failure() of a job looks at all that are before it; success() at those that it names.
    const before = ancestors(workflow, id).map((one) => needs[one]?.result);
    const failed = before.includes("failure");
    const all = needed.every((one) => needs[one]?.result === "success");
    const state: Result = failed ? "failure" : all ? "success" : "skipped";
    const name = call.prefix + id;
    let result: Result = "skipped";
    let outputs: Record<string, string> = {};
    if (holds(job.if, wanted, state)) {
      if (runner.skip?.(name)) result = "success";
      else if (job.uses) {
        const inputs = each(job.with, wanted);
        const secrets = each(job.secrets === "inherit" ? {} : job.secrets, { ...wanted, secrets: {} });
        const inner = await runWorkflow(job.uses.replace("./.github/workflows/", ""), runner, {
          inputs,
          secrets,
          prefix: `${name}/`,
        });
        Object.assign(done.jobs, inner.jobs);
        done.steps.push(...inner.steps);
        result = Object.values(inner.jobs).includes("failure") ? "failure" : "success";
      } else {
        const one = await runJob(name, job, runner, wanted, call);
        done.steps.push(...one.steps);
        result = one.result;
        outputs = one.outputs;
      }
    }
    needs[id] = { result, outputs };
    done.jobs[name] = result;
  }
  return done;
}

function ancestors(workflow: Workflow, id: string): string[] {
  const direct = [workflow.jobs[id]?.needs ?? []].flat();
  return [...new Set(direct.flatMap((one) => [one, ...ancestors(workflow, one)]))];
}

const each = (values: Record<string, unknown> | undefined, contexts: Contexts) =>
  Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, fill(value, contexts)]));

async function runJob(name: string, job: Job, runner: Runner, given: Contexts, call: Call) {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-job-"));
  const temporary = await mkdtemp(join(tmpdir(), "mcp-edge-runner-"));
  const environment = job.environment ? runner.environment(fill(job.environment, given)) : undefined;
  // GitHub: of the secrets that a called workflow was given by name, those of the job's environment come first.
  const secrets = Object.fromEntries(
    Object.entries(call.secrets).map(([key, value]) => [key, environment?.secrets[key] ?? value]),
  );
  const steps: StepRun[] = [];
  const known: Record<string, { outcome: Result; outputs: Record<string, string> }> = {};
  let added: Record<string, string> = {};
  let result: Result = "success";
  const contexts = (): Contexts => ({
    ...given,
    vars: { ...runner.vars, ...environment?.vars },
    secrets,
    steps: known,
  });
  try {
    for (const step of job.steps ?? []) {
      const title = step.name ?? step.uses?.replace(/@.*/, "") ?? step.run?.split("\n")[0] ?? "";
      let outcome: Result = "skipped";
      let output = "";
      const outputs = join(temporary, `outputs-${steps.length}`);
      await writeFile(outputs, "");
      if (holds(step.if, contexts(), result)) {
        const env = {
          ...runner.env(name),
          ...added,
          ...each(job.env, contexts()),
          ...each(step.env, contexts()),
          GITHUB_OUTPUT: outputs,
          RUNNER_TEMP: temporary,
        };
        try {
          if (step.uses) {
            const action = runner.actions[step.uses.replace(/@.*/, "")];
            if (!action) throw new Error(`nothing stands in for ${step.uses}`);
            const more = await action({ job: name, folder, with: each(step.with, contexts()), env });
            added = { ...added, ...more };
          } else {
            const script = join(temporary, "step.sh");
            await writeFile(script, step.run ?? "");
            // As GitHub runs a step on Linux that names no shell.
            const ran = await run("bash", ["-e", script], {
              cwd: folder,
              env,
              timeout: 900_000,
              accept: CODES,
            });
            output = `${ran.stdout}\n${ran.stderr}`;
            if (ran.code !== 0) throw new Error(`${output}\nended with ${ran.code}`);
          }
          outcome = "success";
        } catch (error) {
          outcome = "failure";
          result = "failure";
          output = (error as Error).message;
        }
      }
      steps.push({ job: name, step: title, outcome, output });
      const lines = (await readFile(outputs, "utf8")).split("\n").filter(Boolean);
      const said = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s) as [string, string]));
      if (step.id) known[step.id] = { outcome, outputs: said };
    }
    return { result, steps, outputs: each(job.outputs, contexts()) };
  } finally {
    for (const one of [folder, temporary]) await rm(one, { recursive: true, force: true });
  }
}

const CODES = Array.from({ length: 256 }, (_, code) => code);
