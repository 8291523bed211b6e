import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { AwsCheckout, DOMAIN, settings } from "./support.ts";

/** `npm run preview` of stacks in AWS, with the real engine and the double's account. */
let aws: AwsCheckout;
/** Of one command, milliseconds. */
const LIMIT = 300_000;
const zone = settings({ hostedZone: "create" });

beforeAll(async () => {
  aws = await AwsCheckout.create({ cloud: false });
}, 600_000);

afterAll(() => aws?.remove(), 600_000);

const preview = (stack: string, ...more: string[]) =>
  run("node", ["cli/main.ts", "preview", "--stack", stack, ...more], {
    cwd: aws.checkout.folder,
    env: aws.env,
    accept: [0, 1],
    timeout: LIMIT,
  });

test("preview applies the policies to a stack, with the state and the secrets of its team", async () => {
  const lists = { ...zone, "mcp-edge:allowedCidrs": ["203.0.113.0/24"], "mcp-edge:tags": { CostCentre: 42 } };
  await aws.stack("prod", lists, { "mcp-edge:secrets.API_KEY": "nobody-shall-know" });
  const { code, stdout, stderr } = await preview("prod", "--json");
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringContaining("mcp-edge-prod-machine: would create"),
  });
  expect(JSON.parse(stdout).changes.create).toBeGreaterThan(60);
  expect(stdout + stderr).not.toContain("nobody-shall-know");
  // The secret was read: it becomes a parameter.
  expect(stderr).toContain("API_KEY");
}, 600_000);

test("preview fails with the findings of mandatory policies, and shows them as advice in dev", async () => {
  await aws.stack("staging", { ...zone, "mcp-edge:instanceType": "t3.nano" });
  const refused = await preview("staging");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /^mcp-edge: policy instance-types \(mcp-edge-staging-machine\): t3\.nano is not one of/m,
  );

  await aws.stack("dev", { ...zone, "mcp-edge:instanceType": "t3.nano" });
  const advised = await preview("dev");
  expect(advised.code).toBe(0);
  expect(advised.stdout).toContain(
    "advice of policy instance-types (mcp-edge-dev-machine): t3.nano is not one of",
  );
}, 600_000);

test("preview uses the backend of `pulumi login`, and creates nothing there", async () => {
  const state = join(aws.checkout.folder, "login-state");
  const env = { ...aws.env, PULUMI_HOME: join(aws.home, "pulumi-home"), PULUMI_BACKEND_URL: undefined };
  await mkdir(state);
  const options = { cwd: aws.checkout.folder, env, timeout: LIMIT };
  await run("pulumi", ["login", `file://${state}`], options);
  await writeFile(
    join(aws.checkout.folder, "Pulumi.mine.yaml"),
    `config:\n${Object.entries(zone)
      .map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`)
      .join("")}`,
  );
  const look = () =>
    run("node", ["cli/main.ts", "preview", "--stack", "mine"], { ...options, accept: [0, 1] });
  const missing = await look();
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain(
    `There is no stack mine in file://${state}. Make it: pulumi stack init mine`,
  );
  expect(existsSync(join(state, ".pulumi/stacks"))).toBe(false);
  await run("pulumi", ["stack", "init", "mine", "--non-interactive"], options);
  expect((await look()).code).toBe(0);
  expect(existsSync(join(aws.checkout.folder, ".mcp-edge/state/.pulumi/stacks/mcp-edge/mine.json"))).toBe(
    false,
  );
}, 600_000);

test("preview of a stack on this host decrypts its file with the user's passphrase, or says how to", async () => {
  const { folder } = aws.checkout;
  const key = "mcp-edge:workspaceCredentials";
  const state = join(folder, "own-state");
  await mkdir(state);
  const own = {
    ...aws.env,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "of the user",
  };
  const config = { "mcp-edge:target": "local", "mcp-edge:workspace": "https://example.com/repo.git" };
  await writeFile(join(folder, "Pulumi.here.yaml"), JSON.stringify({ config }));
  const pulumi = (...args: string[]) => run("pulumi", args, { cwd: folder, env: own, timeout: LIMIT });
  await pulumi("stack", "init", "here", "--non-interactive");
  await pulumi("config", "set", "--path", `${key}.user`, "bot", "--stack", "here");
  await pulumi("config", "set", "--path", `${key}.token`, "hush", "--secret", "--stack", "here");
  const previewWith = (env: Record<string, string | undefined>) =>
    run("node", ["cli/main.ts", "preview", "--stack", "here", "--json"], {
      cwd: folder,
      env: { ...own, ...env },
      accept: [0, 1],
      timeout: LIMIT,
    });

  for (const passphrase of [undefined, "of somebody else"]) {
    const refused = await previewWith({ PULUMI_CONFIG_PASSPHRASE: passphrase });
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout).error).toMatchObject({
      message: expect.stringMatching(/mcp-edge:workspaceCredentials.* PULUMI_CONFIG_PASSPHRASE/),
      commands: [
        `pulumi config rm ${key} --stack here`,
        "npm run up -- --stack here --set workspaceCredentials=@FILE",
      ],
    });
  }

  const { code, stdout, stderr } = await previewWith({});
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(stdout).changes.create).toBeGreaterThan(5);
  const copy = await readFile(join(folder, ".mcp-edge/project/Pulumi.here.yaml"), "utf8");
  expect(copy).toMatch(/workspaceCredentials:\s+secure: v1:/);
  expect(copy + stdout + stderr).not.toContain("hush");
}, 600_000);

test("`connect` and `token` find a stack in AWS by its settings, and list its machines to choose from", async () => {
  const cli = (...args: string[]) =>
    run("node", ["cli/main.ts", ...args], {
      cwd: aws.checkout.folder,
      env: aws.env,
      accept: [0, 1],
      timeout: LIMIT,
    });
  const connect = await cli("connect", "--stack", "prod");
  expect(connect.stdout).toContain(`https://${DOMAIN}/mcp`);
  const [, roots = ""] = /NODE_EXTRA_CA_CERTS=(\S+)/.exec(connect.stdout) ?? [];
  expect(await readFile(roots, "utf8")).toContain("BEGIN CERTIFICATE");
  expect((await cli("token", "list", "--stack", "local", "-m", "2")).stderr).toContain(
    "Stack local is on this host and has one machine. Leave out --machine 2.",
  );
}, 600_000);

test("`doctor --aws` lists the stacks that it supports", async () => {
  const doctor = (...args: string[]) =>
    run("node", ["cli/main.ts", "doctor", "--aws", ...args], {
      cwd: aws.checkout.folder,
      env: aws.env,
      accept: [1],
      timeout: LIMIT,
    });
  expect((await doctor("--stack", "local")).stderr).toContain("Stack local is not in AWS (target local)");
}, 600_000);
