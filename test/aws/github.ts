import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { expect } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { projectRoot } from "../../infra/paths.ts";
import { roleCredentials } from "../aws-double/account.ts";
import { type ActionRun, type Runner, runWorkflow, type WorkflowRun } from "../support/workflow.ts";
import { AwsCheckout, DOMAIN } from "./support.ts";

export const STACKS = ["dev", "staging", "prod"];
const REPOSITORY = "acme/edge";
const ROLE = "arn:aws:iam::111122223333:role/ci-mcp-edge-deployer";

export const domainOf = (stack: string) => `${stack}-${DOMAIN}`;

/**
 * A double of GitHub for the workflows of this tree: a repository, its environments, a runner, its actions, and `gh`. The
 * AWS account is that of test/aws-double.
 */
export class GitHub {
  readonly aws: AwsCheckout;
  readonly #origin: string;
  readonly #bin: string;

  private constructor(aws: AwsCheckout) {
    this.aws = aws;
    this.#origin = join(aws.home, "origin.git");
    this.#bin = join(aws.home, "bin");
  }

  /** A repository with three stacks, set up as docs/environments.md says; nothing is deployed. */
  static async create(options: { cloud: boolean }): Promise<GitHub> {
    const aws = await AwsCheckout.create(options);
    const made = new GitHub(aws);
    const { folder } = aws.checkout;
    try {
      await run("git", ["init", "-q", "--bare", "-b", "main", made.#origin]);
      await mkdir(join(folder, ".pulumi-state"), { recursive: true });
      await writeFile(join(folder, ".git/info/exclude"), ".pulumi-state\n");
      if (aws.cloud) {
        // Pebble stands for Let's Encrypt: in dev for its staging environment, whose roots are in the repository,
        const roots = await readFile(aws.cloud.rootsFile, "utf8");
        await writeFile(join(folder, "infra/aws/letsencrypt-staging-roots.pem"), roots);
        // and in the other stacks for an authority that the system trusts.
        await writeFile(join(aws.home, "system.pem"), [...rootCertificates, roots].join("\n"));
      }
      for (const stack of STACKS) await made.#setUp(stack);
      await made.#programs();
      return made;
    } catch (error) {
      await aws.remove();
      throw error;
    }
  }

  /** Sets up each stack: its shipped settings, a domain, and a place in the state. */
  async #setUp(stack: string): Promise<void> {
    const { aws } = this;
    const file = join(aws.checkout.folder, `Pulumi.${stack}.yaml`);
    const own = {
      domain: domainOf(stack),
      workspace: ".",
      zone: domainOf(stack),
      hostedZone: "create",
      ...(stack === "prod" ? { alarmEmail: "ops@example.com" } : {}),
      // The double boots what this host can run.
      ...(process.arch === "x64" ? { architecture: "amd64" } : {}),
    };
    const lines = Object.entries(own).map(([key, value]) => `  mcp-edge:${key}: ${value}\n`);
    const here = (await readFile(file, "utf8")).replace("us-east-1", aws.env.AWS_REGION ?? "");
    const sized = process.arch === "x64" ? here.replace(/t4g\./, "t3.") : here;
    await writeFile(file, sized.trimEnd().concat("\n", ...lines));
    const env = { ...aws.env, PULUMI_CONFIG_PASSPHRASE: passphraseOf(stack) };
    const options = { cwd: aws.checkout.folder, env, timeout: 300_000 };
    await run("pulumi", ["stack", "init", stack, "--non-interactive"], options);
  }

  /**
   * The runner's programs. `npm ci --ignore-scripts` installs no file of an install script. `npm pack` is the host's own: a release for
   * the other processor fetches packages that no suite before may have left in the cache.
   */
  async #programs(): Promise<void> {
    const modules = join(projectRoot, "node_modules");
    const npm = (await run("sh", ["-c", "command -v npm"], { env: this.aws.env })).stdout.trim();
    const program = (name: string, script: string) =>
      writeFile(join(this.#bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await mkdir(this.#bin, { recursive: true });
    // actions/setup-node puts the lockfile's Node on PATH.
    await symlink(join(modules, "node/bin/node"), join(this.#bin, "node"));
    await program(
      "npm",
      `[ "$1" = pack ] && exec '${npm}' "$@"
[ "$*" = "ci --ignore-scripts" ] || { echo "unexpected: npm $*" >&2; exit 1; }
rm -rf node_modules && cp -al '${modules}' . && rm node_modules/node/bin/node`,
    );
    // Reviewers are set for both.
    await program(
      "gh",
      `case "$*" in
  "api repos/${REPOSITORY}/environments/staging "*|"api repos/${REPOSITORY}/environments/prod "*) echo 1 ;;
  *) echo "unexpected: gh $*" >&2; exit 1 ;;
esac`,
    );
  }

  /** Commit everything in the checkout and push it. @returns the commit */
  async push(message: string): Promise<string> {
    const { checkout } = this.aws;
    await checkout.git("add", "-A");
    await checkout.commit(message);
    await checkout.git("push", "-q", "--force", this.#origin, "HEAD:refs/heads/main");
    return (await checkout.git("rev-parse", "HEAD")).stdout.trim();
  }

  /** The commit that was last healthy in a stack; "" when there was none. */
  async healthy(stack: string): Promise<string> {
    const ask = ["-C", this.#origin, "rev-parse", "--quiet", "--verify", `refs/tags/deployed/${stack}`];
    return (await run("git", ask, { accept: [0, 1] })).stdout.trim();
  }

  /** Runs the workflows that a push of this commit to main starts. */
  deploy = (sha: string): Promise<WorkflowRun> => runWorkflow("deploy.yml", this.#runner(sha));

  #runner(sha: string): Runner {
    const { aws } = this;
    return {
      github: {
        ref: "refs/heads/main",
        run_id: "1",
        token: "token",
        event: { repository: { visibility: "public" } },
      },
      vars: { STACKS: JSON.stringify(STACKS) },
      environment: (stack) => ({
        vars: {
          AWS_DEPLOY_ROLE: ROLE,
          AWS_REGION: aws.env.AWS_REGION ?? "",
          PULUMI_BACKEND_URL: aws.env.PULUMI_BACKEND_URL ?? "",
        },
        secrets: { PULUMI_CONFIG_PASSPHRASE: passphraseOf(stack) },
      }),
      env: (job) => ({
        ...aws.env,
        ...without(
          ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"],
          ...["MCP_EDGE_HOME", "MCP_EDGE_ROOT", "MCP_EDGE_TOKEN", "INIT_CWD"],
          ...["PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"],
        ),
        PATH: `${this.#bin}:${aws.env.PATH}`,
        ...(job.startsWith("dev") ? {} : { SSL_CERT_FILE: join(aws.home, "system.pem") }),
        CI: "true",
        GITHUB_REPOSITORY: REPOSITORY,
        GITHUB_RUN_ATTEMPT: "1",
        GITHUB_SHA: sha,
      }),
      actions: {
        "actions/checkout": (action) => this.#checkout(action),
        "actions/setup-node": async () => undefined,
        "aws-actions/configure-aws-credentials": (action) => this.#credentials(action),
        // Without a command it installs the engine.
        "pulumi/actions": async ({ with: options }) => {
          expect(Object.keys(options)).toEqual(["pulumi-version"]);
          return undefined;
        },
        "actions/attest-build-provenance": twoFiles,
        "actions/upload-artifact": twoFiles,
      },
      // Not run here, since this is one of those tests.
      skip: (job) => job === "ci",
    };
  }

  /** A clone that can push only if the workflow keeps the credentials. */
  async #checkout({ folder, with: options, env }: ActionRun) {
    await run("git", ["clone", "-q", "--no-checkout", `file://${this.#origin}`, folder]);
    const here = (...args: string[]) => run("git", ["-C", folder, ...args]);
    await here("checkout", "-q", "--detach", env.GITHUB_SHA ?? "");
    if (options["persist-credentials"] === "false")
      await here("remote", "set-url", "--push", "origin", join(folder, "no-credentials"));
    return undefined;
  }

  /** AWS gives the deployer's credentials to the role that the environment names, and to no other. */
  async #credentials({ with: options }: ActionRun) {
    const { "role-to-assume": role, "aws-region": region = "" } = options;
    if (role !== ROLE) throw new Error(`Not authorized to perform sts:AssumeRoleWithWebIdentity: ${role}`);
    const { accessKeyId, secretAccessKey } = roleCredentials(this.aws.home, "deployer");
    return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: region };
  }

  remove = () => this.aws.remove();
}

const passphraseOf = (stack: string) => `passphrase of ${stack}`;

const without = (...names: string[]) => Object.fromEntries(names.map((name) => [name, undefined]));

/** An archive, or a list, for each processor. */
async function twoFiles({ folder, with: options }: ActionRun) {
  const { stdout } = await run("sh", [
    "-c",
    `ls ${join(folder, options["subject-path"] ?? options.path ?? "")}`,
  ]);
  expect(stdout.trim().split("\n")).toHaveLength(2);
  return undefined;
}

/** The failures, for a test's report. */
export const failures = ({ steps }: WorkflowRun): string[] =>
  steps
    .filter(({ outcome }) => outcome === "failure")
    .map(({ job, step, output }) => `${job}, ${step}:\n${output}`);

export const outcomeOf = ({ steps }: WorkflowRun, job: string, step: string) =>
  steps.find((one) => one.job === job && one.step === step)?.outcome;
