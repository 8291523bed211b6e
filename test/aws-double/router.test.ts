import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { INTERNET } from "./machine/firewall.ts";
import { cloudFile } from "./machine/plan.ts";
import { ProgramRun } from "./run-program.ts";
import { Double } from "./support.ts";

/**
 * The program's network with an edge that forwards packets, and with the kernel's own forwarding: subnets, routes, security groups and
 * source/destination checks are those of the account, the machines are network namespaces.
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

/** What the connections are answered, with the account as it is now. */
async function answers(): Promise<Answers> {
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
  const lab = join(import.meta.dirname, "router-lab.ts");
  const { stdout } = await run("unshare", ["--net", process.execPath, lab, store.home, rules], {
    env: { ...process.env, NODE_OPTIONS: "" },
    timeout: 60_000,
  });
  return JSON.parse(stdout);
}

const edgeRules = (ipv4: string, ipv6: string) => `
table inet edge {
  chain in {
    type nat hook prerouting priority dstnat;
    fib daddr type local meta l4proto { tcp, udp } th dport 443 dnat ip to ${ipv4}
    fib daddr type local meta l4proto { tcp, udp } th dport 443 dnat ip6 to ${ipv6}
  }
  chain out {
    type nat hook postrouting priority srcnat;
    ct state new ct status & dnat == 0 ip saddr ${ipv4} masquerade
    ct state new ct status & dnat == 0 ip6 saddr ${ipv6} masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ct status & dnat == dnat accept
    ip saddr ${ipv4} accept
    ip6 saddr ${ipv6} accept
  }
}
`;

beforeAll(async () => {
  one = await ProgramRun.up({ edge: "passthrough", zone: "mcp.example.com", hostedZone: "create" });
  expect(one.failures).toEqual([]);
  await onNetwork();
}, 120_000);
afterAll(() => Double.over(one.aws).remove());

describe("the network of an edge that forwards packets", () => {
  test("brings connections on TCP and UDP to the origin with the client's address, and back, in both families", async () => {
    const got = await answers();
    expect(got.elastic).toEqual([INTERNET.ipv4, INTERNET.ipv4]);
    expect(got.ipv6).toEqual([INTERNET.ipv6, INTERNET.ipv6]);
    // The origin's own connections leave by the edge, under its address.
    expect(got.outbound).toEqual([got.edge, got.edge]);
    // Nothing comes to the origin without the edge.
    for (const around of [...got.privateIpv4, ...got.originIpv6]) expect(around).toMatch(/Error$/);
  }, 60_000);

  test("brings nothing to the origin while EC2 checks the edge's packets", async () => {
    const token = "aws:ec2/networkInterface:NetworkInterface";
    const port = one.aws.store.all(token).find(({ inputs }) => inputs.sourceDestCheck === false);
    if (!port) throw new Error("no interface forwards");
    one.aws.store.put({ ...port, outs: { ...port.outs, sourceDestCheck: true } });
    const got = await answers().finally(() => one.aws.store.put(port));
    expect(got.elastic).toEqual(["TimeoutError", "TimeoutError"]);
    expect(got.outbound).toEqual(["TimeoutError", "TimeoutError"]);
  }, 60_000);
});
