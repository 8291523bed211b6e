import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ensureEngine } from "../../../cli/engine/index.ts";
import { run } from "../../../infra/exec.ts";
import { projectRoot } from "../../../infra/paths.ts";
import { goodStack } from "./good-stack.ts";
import type { Made } from "./harness.ts";

const urn = (type: string, name: string) => `urn:pulumi:prod::mcp-edge::${type}::${name}`;
const provider = "pulumi:providers:aws";

/** A state file, as `pulumi stack export` writes it, of these resources. */
function stateOf(stack: Made[]): string {
  const resources = stack.map(({ type, name, props, protect, from = {} }) => ({
    urn: urn(type, name),
    type,
    id: props.id ?? name,
    custom: true,
    protect: protect === true,
    inputs: props,
    outputs: props,
    provider: `${urn(provider, "default")}::1`,
    propertyDependencies: Object.fromEntries(
      Object.entries(from).map(([property, names]) => [
        property,
        stack.filter((made) => names.includes(made.name)).map((made) => urn(made.type, made.name)),
      ]),
    ),
  }));
  const own = {
    urn: urn(provider, "default"),
    type: provider,
    id: "1",
    custom: true,
    inputs: {},
    outputs: {},
  };
  const manifest = { time: "2026-01-01T00:00:00Z", magic: "", version: "v3.250.0" };
  return JSON.stringify({ version: 3, deployment: { manifest, resources: [own, ...resources] } });
}

/** The engine starts the pack, as `pulumi preview --policy-pack infra/policy` does, and applies it to a state. */
describe("the pack in the engine", () => {
  let folder = "";
  let path = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mcp-edge-policy-"));
    const engine = await ensureEngine(() => {});
    path = [engine.folder, process.env.PATH].join(delimiter);
  }, 1_800_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function analyze(stack: Made[], env: Record<string, string> = {}) {
    const file = join(folder, "state.json");
    await writeFile(file, stateOf(stack));
    const args = ["policy", "analyze", "--file", file, "--policy-pack", "infra/policy", "--non-interactive"];
    const { code, stdout } = await run("pulumi", args, {
      cwd: projectRoot,
      accept: [0, 1],
      env: {
        PATH: path,
        PULUMI_HOME: join(folder, "home"),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        ...env,
      },
    });
    return { code, stdout };
  }

  const openData = () =>
    goodStack().map((made) =>
      made.name === "data" ? { ...made, props: { ...made.props, encrypted: false } } : made,
    );

  test("passes a valid stack", async () => {
    const { code, stdout } = await analyze(goodStack());
    expect(stdout).toContain("mcp-edge@v0.1.0");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.not.stringContaining("[mandatory]") });
  });

  test("stops a stack that breaks a policy, and reports the resource, the reason and the fix", async () => {
    const { code, stdout } = await analyze(openData());
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /\[mandatory\] \[severity: high\] {2}encrypted-volumes {2}\(aws:ebs:Volume: data\)/,
    );
    expect(stdout).toMatch(/Why: .* Fix: Set encrypted: true/);
    expect(stdout.match(/\[mandatory\]/g)).toHaveLength(1);
  });

  test("applies the policies of the whole stack", async () => {
    const { code, stdout } = await analyze(goodStack().filter(({ name }) => name !== "udp-443-cidrIpv4"));
    expect(code).toBe(1);
    expect(stdout).toContain("0.0.0.0/0 reaches TCP 443 and not UDP 443");
  });

  test("is advisory in dev", async () => {
    const { code, stdout } = await analyze(openData(), { MCP_EDGE_ENVIRONMENT: "dev" });
    expect(code).toBe(0);
    expect(stdout).toMatch(/\[advisory\] \[severity: high\] {2}encrypted-volumes/);
  });
});
