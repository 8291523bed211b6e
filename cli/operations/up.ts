import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { Listr, type ListrTaskWrapper } from "listr2";
import { serverKind } from "../../cloud-init/topology.ts";
import { assertHost, installMissing } from "../../infra/local/host.ts";
import { ensureRootfs } from "../../infra/local/rootfs.ts";
import { buildRelease } from "../../infra/release.ts";
import { parseSettings, rawSettings, type Settings } from "../../infra/settings.ts";
import type { Engine } from "../engine/find.ts";
import { ensureEngine } from "../engine/index.ts";
import { type Enrolment, enrolOwner } from "../machine/people.ts";
import { createToken, type NewToken, tokens } from "../machine/tokens.ts";
import { type Changes, eventLines, noChanges } from "../stack/engine-events.ts";
import { type Deployed, rememberDeployed } from "../stack/outputs.ts";
import { type Overrides, rememberOverrides } from "../stack/overrides.ts";
import { policyPacks } from "../stack/policies.ts";
import { openStack, stackConfig } from "../stack/workspace.ts";
import { progress, say } from "./progress.ts";

export interface UpOptions {
  stack: string;
  overrides: Overrides;
  /** Machine-readable output: progress goes to standard error, one line each. */
  json: boolean;
  /** Replace the machine; its data (certificates, tokens, workspace) stays. */
  replace: boolean;
}

export interface UpResult {
  deployed: Deployed;
  changes: Changes;
  auth: Settings["auth"];
  /** Only when it was made now: it is stored hashed, and shown this once. */
  token?: NewToken;
  /** Only when nobody could sign in before, and people can (setting `auth: oauth`). */
  enrolment?: Enrolment;
}

interface Context {
  engine?: Engine;
  stack?: Stack;
  result?: Omit<UpResult, "auth">;
}

// biome-ignore lint/suspicious/noExplicitAny: the renderer's type plays no part here
type Task = ListrTaskWrapper<Context, any, any>;

/** Brings a stack of this host up: settings, host, engine beside root filesystem, the program, a first token, the owner. */
export async function up(options: UpOptions, signal: AbortSignal): Promise<UpResult> {
  const { stack } = options;
  // Settings and host are checked before anything is made or fetched.
  const settings = parseSettings(rawSettings(await stackConfig(stack, options.overrides)), stack);
  const { auth, localSignIn } = settings;
  assertHost();
  await rememberOverrides(stack, options.overrides);
  const tasks = new Listr<Context>(
    [
      { title: "Host packages", task: (_, task) => installMissing(say(task)) },
      {
        title: "Pulumi engine and Debian root filesystem",
        task: (_, task) =>
          task.newListr(
            [
              { title: "Pulumi engine", task: engineTask },
              {
                title: "Debian 13 root filesystem",
                task: async (_, t) => void (await ensureRootfs(say(t))),
              },
            ],
            { concurrent: true },
          ),
      },
      {
        title: `Pulumi up: stack ${stack}`,
        task: (context, task) => program(context, task, options, signal),
      },
      { title: "Token", enabled: auth !== "none", task: (context, task) => firstToken(context, task) },
      {
        title: "Owner",
        enabled: auth === "oauth" && localSignIn,
        task: (context, task) => firstPerson(context, task),
      },
    ],
    progress(options.json),
  );
  const { result } = await tasks.run({});
  if (!result) throw new Error("The update ended without a result.");
  return { ...result, auth };
}

async function engineTask(context: Context, task: Task): Promise<void> {
  const engine = await ensureEngine(say(task));
  context.engine = engine;
  task.title = `Pulumi engine ${engine.version} (${engine.origin})`;
}

async function program(context: Context, task: Task, options: UpOptions, signal: AbortSignal): Promise<void> {
  // The release takes as long as the engine's start: both at once. A failure is reported when the program asks for the release.
  buildRelease().catch(() => undefined);
  const stack = await openStack(options.stack, context.engine as Engine);
  const lines = eventLines(say(task));
  const config = await stackConfig(options.stack);
  const { edge } = parseSettings(rawSettings(config), options.stack);
  const machines = ["machine", ...(serverKind(edge) === "origin" ? ["forwarder"] : [])].map(
    (name) =>
      `urn:pulumi:${options.stack}::mcp-edge::mcp-edge:local:Edge$pulumi-nodejs:dynamic/local:Machine::${options.stack}-${name}`,
  );
  const { outputs } = await lines.explain(async () =>
    stack.up({
      onEvent: lines.onEvent,
      signal,
      policyPacks: policyPacks(config),
      ...(options.replace ? { replace: machines } : {}),
    }),
  );
  const value = (key: string) => outputs[key]?.value;
  const deployed: Deployed = {
    stack: options.stack,
    url: value("url"),
    ipv4: value("ipv4"),
    ipv6: value("ipv6"),
    release: value("release"),
    networkIndex: value("networkIndex"),
    rootsFile: value("rootsFile"),
  };
  await rememberDeployed(deployed);
  context.result = { deployed, changes: lines.changes };
  task.title = `Pulumi up: stack ${options.stack}, ${summary(lines.changes)}`;
}

function summary(changes: Changes): string {
  if (noChanges(changes)) return "nothing to change";
  return Object.entries(changes)
    .filter(([operation, count]) => operation !== "same" && count > 0)
    .map(([operation, count]) => `${count} ${operation}d`)
    .join(", ");
}

async function firstToken(context: Context, task: Task): Promise<void> {
  const result = context.result as NonNullable<Context["result"]>;
  const existing = await tokens(result.deployed);
  if (existing.length > 0) {
    task.title = `Token: ${existing.length} exist already`;
    return;
  }
  result.token = await createToken(result.deployed, { name: "default" });
  task.title = "Token made";
}

async function firstPerson(context: Context, task: Task): Promise<void> {
  const result = context.result as NonNullable<Context["result"]>;
  const enrolment = await enrolOwner(result.deployed);
  if (enrolment) result.enrolment = enrolment;
  task.title = enrolment ? "Owner added" : "Owner: there are people already";
}
