import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { machineFiles } from "../../cloud-init/machine-files.ts";
import { rolesOf } from "../../cloud-init/topology.ts";
import { run } from "../../infra/exec.ts";
import { machineSettings } from "../../infra/settings/machine.ts";
import { parseSettings } from "../../infra/settings.ts";
import { INTERNET } from "./machine/firewall.ts";
import { cloudFile } from "./machine/plan.ts";
import { ProgramRun } from "./run-program.ts";
import { Double } from "./support.ts";

/**
 * The program's network with an edge that forwards packets, and with the kernel's own forwarding: subnets, routes, security groups and
 * source/destination checks are those of the account, the packet filter is that of the edge, and the machines are network namespaces.
 */
let one: ProgramRun;
const resources = () => join(one.aws.store.home, "resources");

/** The addresses of the account on this host's network 0. */
async function onNetwork(): Promise<void> {
  for (const name of await readdir(resources())) {
    const file = join(resources(), name);
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replaceAll("10.0.0.", "10.77.0.").replaceAll("203.0.113.", "10.77.0.1"));
  }
  await writeFile(cloudFile(one.aws.store.home), JSON.stringify({ networkIndex: 0 }));
}

interface Answers {
  elastic: string[];
  ipv6: string[];
  privateIpv4: string[];
  originIpv6: string[];
  outbound: string[];
  edge: string;
}

/**
 * What the connections are answered, with the account as it is now.
 * @param seconds for an answer that the edge may pass on
 */
async function answers(seconds: number): Promise<Answers> {
  const { store } = one.aws;
  const [port] = store
    .all("aws:ec2/networkInterface:NetworkInterface")
    .filter(
      ({ inputs }) => inputs.sourceDestCheck !== false && String(inputs.description).includes("origin"),
    );
  if (!port) throw new Error("the origin has no interface");
  const { privateIp, ipv6Addresses } = port.outs as { privateIp: string; ipv6Addresses: string[] };
  const rules = join(store.home, "edge.nft");
  await writeFile(rules, edgeRules(privateIp, ipv6Addresses[0] ?? ""));
  const fixture = join(import.meta.dirname, "router-process.ts");
  const command = ["--net", process.execPath, fixture, store.home, rules, String(seconds)];
  const { stdout } = await run("unshare", command, {
    env: { ...process.env, NODE_OPTIONS: "" },
    timeout: 110_000,
  });
  return JSON.parse(stdout);
}

/** The packet filter of the edge, as its machine gets it. */
function edgeRules(ipv4: string, ipv6: string): string {
  const raw = { target: "aws", domain: "mcp.example.com", workspace: ".", edge: "passthrough" };
  const around = { workspace: "", workspaceName: "", acmeServer: "https://acme.example.com/directory" };
  const originMachine = { ipv4, ipv6 };
  const files = machineFiles(
    machineSettings(parseSettings(raw, "prod"), { ...around, originMachine }),
    rolesOf("passthrough", "edge"),
  );
  const rules = files.find(({ path }) => path === "/etc/nftables.conf")?.content ?? "";
  // The host's nft may be older than the machine's. Nothing is there that could be destroyed.
  return rules
    .replace("destroy table inet mcp_edge\n", "")
    .replace("output priority dstnat", "output priority -100");
}

beforeAll(async () => {
  one = await ProgramRun.up({ edge: "passthrough", zone: "mcp.example.com", hostedZone: "create" });
  expect(one.failures).toEqual([]);
  await onNetwork();
});
afterAll(() => Double.over(one.aws).remove());

describe("the network of an edge that forwards packets", () => {
  test("brings connections on TCP and UDP to the origin with the client's address, and back, in both families", async () => {
    const got = await answers(60);
    expect(got.elastic).toEqual([INTERNET.ipv4, INTERNET.ipv4]);
    expect(got.ipv6).toEqual([INTERNET.ipv6, INTERNET.ipv6]);
    // The origin's own connections leave by the edge, under its address.
    expect(got.outbound).toEqual([got.edge, got.edge]);
    // Nothing comes to the origin without the edge.
    for (const around of [...got.privateIpv4, ...got.originIpv6]) expect(around).toMatch(/Error$/);
  });

  test("brings nothing to the origin while EC2 checks the edge's packets", async () => {
    const token = "aws:ec2/networkInterface:NetworkInterface";
    const port = one.aws.store.all(token).find(({ inputs }) => inputs.sourceDestCheck === false);
    if (!port) throw new Error("no interface forwards");
    one.aws.store.put({ ...port, outs: { ...port.outs, sourceDestCheck: true } });
    const got = await answers(1.5).finally(() => one.aws.store.put(port));
    expect(got.elastic).toEqual(["TimeoutError", "TimeoutError"]);
    expect(got.outbound).toEqual(["TimeoutError", "TimeoutError"]);
  });
});
