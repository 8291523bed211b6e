import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { ensureEngine } from "../../cli/engine/index.ts";
import { type RunResult, run } from "../../infra/exec.ts";
import { cache, cacheFolder, projectRoot } from "../../infra/paths.ts";
import { runInside } from "../machine/inside.ts";
import { Checkout } from "../machine/support.ts";
import { folderOfRun } from "../support/test-run.ts";

/** The plugin of @pulumi/command in package.json. */
const COMMAND_PLUGIN = "1.2.1";
const pulumiHome = () => cacheFolder("pulumi-home-of-tests");

/**
 * The engine as users have it: Pulumi's distribution on PATH, or else downloaded. A missing plugin is installed.
 * @returns the folder to put on PATH
 * @throws Error that names what is missing: these tests prove nothing without the real engine.
 */
async function engineFolder(path: string): Promise<string> {
  const engine = await ensureEngine(() => {});
  const folders = [
    engine.folder,
    ...path.split(delimiter).filter((folder) => !folder.includes("node_modules")),
  ];
  const has = (program: string) => folders.some((folder) => existsSync(join(folder, program)));
  if (!has("pulumi-language-nodejs"))
    throw new Error(
      `The engine in ${engine.folder} has no language host (pulumi-language-nodejs), as one built from source has none. These ` +
        "tests run the program as `pulumi up` does: install Pulumi (https://www.pulumi.com/docs/install/).",
    );
  if (!has("pulumi-resource-command")) {
    const env = { PULUMI_HOME: pulumiHome(), PULUMI_SKIP_UPDATE_CHECK: "true" };
    const plugin = ["plugin", "install", "resource", "command", COMMAND_PLUGIN];
    await run(join(engine.folder, "pulumi"), plugin, { env, timeout: 300_000 });
  }
  return engine.folder;
}

interface Cloud {
  environment: Record<string, string>;
  rootsFile: string;
  bridge: string;
  net4: string;
}

const double = join(projectRoot, "test/aws-double");
/** Unique to this run, since concurrent runs share /etc/hosts. */
export const DOMAIN = `mcp-${process.pid}.example.com`;

/** The configuration of a stack with its zone; more settings without their namespace. */
export function settings(more: Record<string, unknown> = {}): Record<string, unknown> {
  const all = {
    target: "aws",
    workspace: ".",
    domain: DOMAIN,
    zone: "example.com",
    acme: "letsencrypt-staging",
    // The double boots what this host can run.
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    ...more,
  };
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [`mcp-edge:${key}`, value]));
}

/** Of one command, milliseconds: less than a test has. */
const LIMIT = 580_000;
const ALL = Array.from({ length: 256 }, (_, code) => code);

/** A checkout of this tree with its own account, and the engine's CLI in it. */
export class AwsCheckout {
  readonly checkout: Checkout;
  readonly home: string;
  readonly #engine: string;
  readonly #more: Record<string, string>;
  cloud: Cloud | undefined;

  private constructor(checkout: Checkout, home: string, engine: string, more: Record<string, string> = {}) {
    this.#more = more;
    this.checkout = checkout;
    this.home = home;
    this.#engine = engine;
  }

  /** @param cloud with the machine's side: network, ACME server, endpoint; needs Linux with root. */
  static async create({ cloud }: { cloud: boolean }): Promise<AwsCheckout> {
    const engine = await engineFolder(process.env.PATH ?? "");
    const home = await folderOfRun("aws");
    const made = new AwsCheckout(await Checkout.create(), home, engine);
    try {
      if (cloud) made.cloud = JSON.parse((await made.#cloud("start")).stdout);
    } catch (error) {
      await made.remove();
      throw error;
    }
    return made;
  }

  /** The same with other variables, such as another role's credentials. */
  as(more: Record<string, string>): AwsCheckout {
    const other = new AwsCheckout(this.checkout, this.home, this.#engine, more);
    other.cloud = this.cloud;
    return other;
  }

  get env(): Record<string, string | undefined> {
    const state = join(this.checkout.folder, ".pulumi-state");
    return {
      AWS_REGION: "eu-central-1",
      ...this.checkout.env,
      AWS_DOUBLE_HOME: this.home,
      MCP_EDGE_CACHE: cache,
      MCP_EDGE_ROOT: this.checkout.folder,
      ...this.cloud?.environment,
      PATH: [join(double, "bin"), this.checkout.env.PATH, this.#engine].join(delimiter),
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_HOME: pulumiHome(),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_IGNORE_AMBIENT_PLUGINS: undefined,
      ...this.#more,
    };
  }

  #cloud(what: "start" | "stop"): Promise<RunResult> {
    const env = { ...process.env, AWS_DOUBLE_HOME: this.home, MCP_EDGE_CACHE: cache, NODE_OPTIONS: "" };
    return run(this.#node, [join(double, "cloud.ts"), what], { env, timeout: 300_000 });
  }

  get #node() {
    return join(projectRoot, "node_modules/.bin/node");
  }

  /** Runs the engine's CLI to its end. A failure is in the exit code, not thrown. */
  async pulumi(...args: string[]): Promise<RunResult & { all: string }> {
    await mkdir(join(this.checkout.folder, ".pulumi-state"), { recursive: true });
    const result = await run("pulumi", [...args, "--non-interactive"], {
      cwd: this.checkout.folder,
      env: this.env,
      timeout: LIMIT,
      accept: ALL,
    });
    return { ...result, all: `${result.stdout}\n${result.stderr}` };
  }

  /** Runs the project's command line. A failure is in the exit code, not thrown. */
  cli = (...args: string[]): Promise<RunResult> =>
    run("node", ["cli/main.ts", ...args], {
      cwd: this.checkout.folder,
      env: this.env,
      accept: ALL,
      timeout: LIMIT,
    });

  /** A stack with this configuration. @param secrets by path, such as mcp-edge:secrets.API_KEY */
  async stack(
    name: string,
    config: Record<string, unknown>,
    secrets: Record<string, string> = {},
  ): Promise<void> {
    const lines = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
    await writeFile(join(this.checkout.folder, `Pulumi.${name}.yaml`), `config:\n${lines.join("\n")}\n`);
    await this.must("stack", "init", name);
    for (const [key, value] of Object.entries(secrets))
      await this.must("config", "set", "--path", "--secret", "--stack", name, key, value);
  }

  /** Run the CLI, which must succeed. */
  async must(...args: string[]): Promise<string> {
    const { code, all } = await this.pulumi(...args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${all}`);
    return all;
  }

  up = (stack: string, ...args: string[]) =>
    this.pulumi("up", "--stack", stack, "--yes", "--suppress-progress", "--skip-preview", ...args);

  async outputs(stack: string): Promise<Record<string, unknown>> {
    const { stdout } = await this.pulumi("stack", "output", "--stack", stack, "--json");
    return JSON.parse(stdout);
  }

  /** Runs a command in an instance. A failure is in the exit code. */
  inInstance(id: string, ...command: string[]): Promise<RunResult> {
    const { bridge = "" } = this.cloud ?? {};
    const guest = { stack: id, name: `${bridge}-${id.slice(-6)}`, bridge };
    return runInside({ ...this.env, MCP_EDGE_HOME: join(this.home, "host") }, guest, command);
  }

  stopCloud = () => this.#cloud("stop");

  /** Removes everything, including what a failed test left. */
  async remove(): Promise<void> {
    await this.stopCloud();
    await run("rm", ["-rf", this.home]);
    await this.checkout.remove();
  }
}
