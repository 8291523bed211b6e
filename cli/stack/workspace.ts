import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import {
  type InlineProgramArgs,
  LocalWorkspace,
  type Stack,
  StackNotFoundError,
} from "@pulumi/pulumi/automation/index.js";
import { parse, stringify } from "yaml";
import { cacheFolder, home, projectRoot } from "../../infra/paths.ts";
import { NAMESPACE } from "../../infra/settings.ts";
import type { Engine } from "../engine/find.ts";
import { dynamicProviderFolder } from "../engine/index.ts";
import { backendOf } from "./backend.ts";
import { shareEngineFeatures } from "./engine-features.ts";
import { fileSecrets } from "./file-secrets.ts";
import { awaitLeftovers, RUN_MARK, runMark } from "./leftovers.ts";
import { type Overrides, withOverrides } from "./overrides.ts";
import { ensurePassphrase, passphraseFile } from "./passphrase.ts";
import { splitSecrets } from "./secret-settings.ts";
import { type Belonging, belonging, plainConfig, type StackFile, targetOf } from "./team.ts";

/** As it was before the engine's was put over it. */
const usersEnvironment = { ...process.env };

/** The engine's folder of work: copies of Pulumi.yaml and of the stack's file, so that the repository's stay as they are. */
const projectFolder = join(home, "project");
const stateFolder = join(home, "state");

/** The stack's file in the repository; an empty one when there is none. */
async function stackFile(stack: string): Promise<StackFile> {
  const file = join(projectRoot, `Pulumi.${stack}.yaml`);
  return existsSync(file) ? (parse(await readFile(file, "utf8")) ?? {}) : {};
}

/** The stack's configuration without its secrets: its file in the repository, then what `up` was asked for; the workspace made absolute. */
export async function stackConfig(stack: string, changes: Overrides = {}): Promise<Record<string, string>> {
  const all = plainConfig(await stackFile(stack));
  for (const [key, value] of Object.entries(await withOverrides(stack, changes)))
    all[`${NAMESPACE}:${key}`] = value;
  // npm runs scripts in the project's folder and says in INIT_CWD where it was started. In AWS it must be set.
  if (targetOf(all) !== "aws") all[`${NAMESPACE}:workspace`] ??= process.env.INIT_CWD ?? process.cwd();
  return all;
}

/** The engine's environment: a file backend in our folder, no account, no prompt, no plugin download. */
async function engineEnvironment(engine: Engine): Promise<Record<string, string>> {
  await ensurePassphrase();
  await mkdir(stateFolder, { recursive: true });
  const plugins = await dynamicProviderFolder(engine);
  const node = join(projectRoot, "node_modules/.bin");
  const path = [node, engine.folder, plugins, process.env.PATH].filter(Boolean).join(delimiter);
  return {
    PATH: path,
    // The engine's dynamic-provider plugin asks Node for the SDK from the folder of work, which may lie outside this tree.
    NODE_PATH: join(projectRoot, "node_modules"),
    PULUMI_BACKEND_URL: `file://${stateFolder}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile,
    PULUMI_HOME: cacheFolder("pulumi-home"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    MCP_EDGE_ROOT: projectRoot,
    MCP_EDGE_HOME: home,
  };
}

export interface OpenOptions {
  /** What is added to the stack's overrides. Default: nothing. */
  changes?: Overrides;
  /** Whether the program will run, so that a stack on this host needs the secrets of its file. Default: true. */
  runsProgram?: boolean;
}

/** The stack in the engine, made when it is new, freed from what a killed run left: its lock and its pending operations. */
export async function openStack(
  stack: string,
  engine: Engine,
  { changes = {}, runsProgram = true }: OpenOptions = {},
): Promise<Stack> {
  await awaitLeftovers(stack);
  const file = await stackFile(stack);
  const { backend } = parse(await readFile(join(projectRoot, "Pulumi.yaml"), "utf8"));
  const login = await backendOf(usersEnvironment, backend?.url);
  const config = await stackConfig(stack, changes);
  const team = belonging(file, targetOf(config), usersEnvironment, login);
  const { PULUMI_CONFIG_PASSPHRASE_FILE: ownPassphrase, ...own } = await engineEnvironment(engine);
  const given =
    team.environment.PULUMI_CONFIG_PASSPHRASE !== undefined || team.environment.PULUMI_CONFIG_PASSPHRASE_FILE;
  const env: Record<string, string> = {
    ...own,
    ...(given ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: ownPassphrase as string }),
    ...team.environment,
    [RUN_MARK]: runMark(stack),
  };
  const isLocal = targetOf(config) !== "aws";
  // The SDK finds the engine, and the engine its plugins, on this process's PATH.
  process.env.PATH = own.PATH;
  const ofFile =
    isLocal && runsProgram ? await fileSecrets(stack, file, { ...usersEnvironment, ...own }) : {};
  delete process.env.PULUMI_CONFIG_PASSPHRASE;
  delete process.env.PULUMI_CONFIG_PASSPHRASE_FILE;
  Object.assign(process.env, env);
  await mkdir(projectFolder, { recursive: true });
  await writeProjectFile();
  await writeStackFile(stack, file, config, team);
  // Not `index.ts`: a module runs once in a process, and a second `up` would then declare no resource and delete all of them.
  const program = async () => {
    shareEngineFeatures();
    return (await import("../../infra/edge.ts")).edge();
  };
  const args: InlineProgramArgs = { stackName: stack, projectName: "mcp-edge", program };
  const options = { workDir: projectFolder, envVars: env };
  if (team.shared) return known(stack, login, () => LocalWorkspace.selectStack(args, options));
  const opened = await LocalWorkspace.createOrSelectStack(args, options);
  await unlock(opened);
  await forgetPending(opened);
  if (isLocal) await encrypt(opened, { ...ofFile, ...splitSecrets(config).secrets });
  return opened;
}

/** With the passphrase of this checkout. Otherwise the engine would keep them in clear, in the history of its state. */
async function encrypt(stack: Stack, secrets: Record<string, string>): Promise<void> {
  if (Object.keys(secrets).length === 0) return;
  await stack.setAllConfig(
    Object.fromEntries(Object.entries(secrets).map(([key, value]) => [key, { value, secret: true }])),
  );
}

/** A team's stack is never created implicitly: a preview only reads. */
async function known(stack: string, backend: string, select: () => Promise<Stack>): Promise<Stack> {
  try {
    return await select();
  } catch (error) {
    if (!(error instanceof StackNotFoundError)) throw error;
    throw new Error(`There is no stack ${stack} in ${backend}. Make it: pulumi stack init ${stack}`);
  }
}

/** Pulumi.yaml without what starts a language host: the program runs in this process. */
async function writeProjectFile(): Promise<void> {
  const { main: _main, ...project } = parse(await readFile(join(projectRoot, "Pulumi.yaml"), "utf8"));
  // Its paths are meant from the repository's folder.
  for (const analyzer of project.plugins?.analyzers ?? [])
    analyzer.path = resolve(projectRoot, analyzer.path);
  await writeFile(join(projectFolder, "Pulumi.yaml"), stringify({ ...project, runtime: "nodejs" }));
}

async function writeStackFile(
  stack: string,
  { encryptionsalt }: StackFile,
  config: Record<string, string>,
  { shared, encryption, secrets }: Belonging,
): Promise<void> {
  const file = join(projectFolder, `Pulumi.${stack}.yaml`);
  const before: StackFile = existsSync(file) ? (parse(await readFile(file, "utf8")) ?? {}) : {};
  // Earlier versions copied the salt of the repository's file, which belongs to another passphrase.
  const own = !shared && before.encryptionsalt !== encryptionsalt;
  const salt = own && before.encryptionsalt ? { encryptionsalt: before.encryptionsalt } : {};
  await writeFile(
    file,
    stringify({ ...salt, ...encryption, config: { ...splitSecrets(config).plain, ...secrets } }),
  );
}

/** We hold the lock of this stack, so a lock of the engine on it belongs to a run that has died. */
async function unlock(stack: Stack): Promise<void> {
  const folder = join(stateFolder, ".pulumi/locks/organization/mcp-edge", stack.name);
  if (existsSync(folder) && (await readdir(folder)).length > 0) await stack.cancel();
}

/** Creating a resource of ours repairs one that is half made, so an interrupted creation is simply repeated. */
async function forgetPending(stack: Stack): Promise<void> {
  const state = await stack.exportStack();
  if (!state.deployment?.pending_operations?.length) return;
  delete state.deployment.pending_operations;
  await stack.importStack(state);
}

/** Is this stack known to the engine's state? Asked without an engine. */
export const inState = (stack: string) =>
  existsSync(join(stateFolder, ".pulumi/stacks/mcp-edge", `${stack}.json`));

/** Forget the engine's side of a removed stack; with the last one, everything but the cache. */
export async function forgetStack(stack: string): Promise<void> {
  await rm(join(projectFolder, `Pulumi.${stack}.yaml`), { force: true });
  const others = await readdir(join(home, "stacks")).catch(() => []);
  if (others.length > 0) return;
  for (const path of [projectFolder, stateFolder, passphraseFile, join(home, "stacks")]) {
    await rm(path, { recursive: true, force: true });
  }
}
