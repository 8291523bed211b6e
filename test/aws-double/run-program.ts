import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { edgeName } from "../../infra/aws/former-names.ts";
import { AwsEdge } from "../../infra/aws/index.ts";
import { prepareAwsEdge } from "../../infra/aws/prepare.ts";
import { type AwsSettings, parseSettings } from "../../infra/settings.ts";
import { captureLog, withoutStacks } from "../infra/aws/mocks.ts";
import { accountOf } from "./account.ts";
import type { Role } from "./iam/principal.ts";
import type { Account } from "./kind.ts";
import { awsDouble } from "./provider.ts";
import { isObject, type Props } from "./values.ts";

/** The workspace is a repository elsewhere, so that the tests do not depend on this checkout. */
const BASE = { target: "aws", domain: "mcp.example.com", workspace: "https://git.example.com/team/code.git" };
const REGION = "eu-central-1";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";

/** Inputs as the engine would send them: files by their path. */
function sent(value: unknown): unknown {
  if (value instanceof pulumi.asset.FileAsset)
    return { [SIGNATURE]: ASSET, path: "/etc/hostname", hash: "0" };
  if (Array.isArray(value)) return value.map(sent);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sent(inner)]));
}

interface Made {
  urn: string;
  type: string;
  name: string;
  id: string;
  inputs: Props;
}

export interface Run {
  stack?: string;
  role?: Role;
  /** Milliseconds that a creation of this type takes, so that resources without a dependency on it are created first. */
  slow?: Record<string, number>;
  /** The account of an earlier run. */
  account?: Account;
}

/**
 * `pulumi up` of the whole program in this process: the program's resources go straight into the double, under the policy of
 * the role that runs it. No engine and no machine, so a second or two instead of a minute.
 */
export class ProgramRun {
  readonly aws: Account;
  readonly made: Made[] = [];
  readonly failures: string[] = [];
  readonly #provider: Required<ReturnType<typeof awsDouble>>;

  private constructor(aws: Account) {
    this.aws = aws;
    this.#provider = awsDouble({ aws }) as Required<ReturnType<typeof awsDouble>>;
  }

  /** An account of its own in a temporary folder. */
  static async account(role: Role = "deployer"): Promise<Account> {
    const home = await mkdtemp(join(tmpdir(), "aws-double-"));
    const domain = BASE.domain;
    return { ...accountOf({ AWS_DOUBLE_HOME: home, AWS_REGION: REGION }), role, domain };
  }

  static up = (raw: Record<string, string> = {}, run: Run = {}): Promise<ProgramRun> =>
    withoutStacks(() => ProgramRun.#up(raw, run));

  static async #up(raw: Record<string, string>, run: Run): Promise<ProgramRun> {
    const { stack = "prod", role = "deployer" } = run;
    const aws = { ...(run.account ?? (await ProgramRun.account(role))), role };
    const one = new ProgramRun(aws);
    captureLog();
    await pulumi.runtime.setMocks(
      {
        newResource: async ({ type, name, inputs }) => one.#create(stack, type, name, inputs, run.slow ?? {}),
        call: async ({ token, inputs }) => {
          const known = sent(inputs) as Props;
          return one.#tried(
            token,
            {} as Props,
            async (provider) => (await provider.invoke(token, known)).outputs as Props,
          );
        },
      },
      "mcp-edge",
      stack,
      false,
    );
    const archive = join(aws.store.home, "release.tar.zst");
    await writeFile(archive, "a release");
    const settings = parseSettings({ ...BASE, ...raw }, stack) as AwsSettings;
    const prepared = await prepareAwsEdge(settings, { hash: "5".repeat(64), archive });
    new AwsEdge(edgeName(stack), { settings, ...prepared, region: REGION, prefix: `/mcp-edge/${stack}` });
    await Promise.race([
      pulumi.runtime.disconnect(),
      // A program that throws does not end by itself. Less than the limit of a test, which would not say what was refused.
      setTimeout(110_000, undefined, { ref: false }).then(() => {
        throw new Error(`The program does not end. Refused so far:\n${one.failures.join("\n")}`);
      }),
    ]);
    return one;
  }

  /** Denied requests are recorded and still executed, so that one run finds all missing permissions. */
  async #tried<T>(
    what: string,
    instead: T,
    action: (provider: Required<ReturnType<typeof awsDouble>>) => Promise<T>,
  ): Promise<T> {
    try {
      return await action(this.#provider);
    } catch (error) {
      const { message } = error as Error;
      this.failures.push(`${what}: ${message}`);
      if (!/UnauthorizedOperation|AccessDenied/.test(message)) return instead;
      const aws: Account = { ...this.aws, role: "administrator" };
      return action(awsDouble({ aws }) as Required<ReturnType<typeof awsDouble>>);
    }
  }

  async #create(stack: string, type: string, name: string, inputs: Props, slow: Record<string, number>) {
    if (!type.startsWith("aws:")) return { id: `${name}-id`, state: inputs };
    const urn = `urn:pulumi:${stack}::mcp-edge::${type}::${name}`;
    await setTimeout(slow[type] ?? 0);
    return this.#tried(name, { id: `${name}-failed`, state: inputs }, async (provider) => {
      const checked = await provider.check(urn, {}, sent(inputs) as Props);
      const [problem] = checked.failures ?? [];
      if (problem) throw new Error(`${problem.property}: ${problem.reason}`);
      const { id, outs } = (await provider.create(urn, checked.inputs)) as { id: string; outs: Props };
      this.made.push({ urn, type, name, id, inputs: checked.inputs });
      return { id, state: { ...outs, id } };
    });
  }

  /** The requests of `pulumi refresh`, as another role. @returns the refused ones */
  async readAll(as: Partial<Account>): Promise<string[]> {
    const provider = awsDouble({ aws: { ...this.aws, ...as } }) as Required<ReturnType<typeof awsDouble>>;
    const refused: string[] = [];
    for (const { id, urn, name } of this.made)
      await provider.read(id, urn, {}).catch((error: Error) => refused.push(`${name}: ${error.message}`));
    return refused;
  }

  /** The requests of `pulumi up` for these changed inputs of a resource. @returns the refused ones */
  async change(name: string, change: Props, type?: string): Promise<string[]> {
    const found = this.made.find((one) => one.name === name && (type ?? one.type) === one.type);
    if (!found) throw new Error(`${name} was not made`);
    const { id, urn, inputs } = found;
    const news = { ...inputs, ...change };
    const refused = await this.#provider.update(id, urn, inputs, news).then(
      () => [],
      (error: Error) => [`${name}: ${error.message}`],
    );
    if (refused.length === 0) found.inputs = news;
    return refused;
  }

  /** The requests of `pulumi destroy`, in reverse order. @param as the role @returns the refused ones */
  async destroy(as: Partial<Account> = {}): Promise<string[]> {
    const provider = awsDouble({ aws: { ...this.aws, ...as } }) as Required<ReturnType<typeof awsDouble>>;
    const refused: string[] = [];
    for (const { id, urn, name } of [...this.made].reverse())
      await provider.delete(id, urn, {}).catch((error: Error) => refused.push(`${name}: ${error.message}`));
    return refused;
  }

  remove = () => rm(this.aws.store.home, { recursive: true, force: true });
}
