import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { poll, run } from "../../infra/exec.ts";
import { networkOf } from "../../infra/local/network.ts";
import { convergeFirewall, walls } from "./machine/firewall.ts";
import { partOf } from "./machine/plan.ts";
import { Store } from "./store.ts";

/**
 * usage: unshare --net node test/aws-double/router-process.ts HOME RULES LIMIT
 *
 * The VPC of an account in a network namespace: this namespace is the router and the internet, each instance is one more namespace on
 * the bridge. RULES is the packet filter of the edge. The result is printed as JSON: what each connection was answered. LIMIT is the
 * time for the answers to connections that the edge may pass on, seconds.
 */
const [home = "", rulesFile = "", limit = ""] = process.argv.slice(2);
/** For connections that nothing answers in any account, seconds. */
const SILENCE = "1.5";
/** For what this process starts, milliseconds. */
const START_MS = 60_000;
const store = new Store(home);
const { bridge, net4 } = networkOf(0);

/** Answers each connection and each datagram on port 443 with the address that it came from. */
const SERVER = `
import socket, threading
def tcp(family):
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6: listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(("", 443)); listener.listen()
    while True:
        peer, address = listener.accept()
        peer.sendall(address[0].encode()); peer.close()
def udp(family):
    listener = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6: listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(("", 443))
    while True:
        data, address = listener.recvfrom(2048)
        listener.sendto(address[0].encode(), address)
for kind in (tcp, udp):
    for family in (socket.AF_INET, socket.AF_INET6):
        threading.Thread(target=kind, args=(family,)).start()
`;
const CLIENT = `
import socket, sys
kind, host, limit = sys.argv[1:]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
client = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
client.settimeout(float(limit))
try:
    client.connect((host, 443))
    client.send(b"x") if kind == "udp" else None
    print(client.recv(100).decode(), end="")
except OSError as error:
    print(type(error).__name__, end="")
`;

const children: ReturnType<typeof spawn>[] = [];

/** @throws Error if it is not there in time */
async function reached(what: string, test: () => Promise<boolean>): Promise<void> {
  if (!(await poll(START_MS, async () => ((await test()) ? true : undefined), 20)))
    throw new Error(`waited in vain for ${what}`);
}

/** A namespace on the bridge. @returns how to run a program in it */
async function namespace(link: string, ipv4: string, range: string, router: string, ipv6?: string) {
  const child = spawn("unshare", ["--net", "sleep", "infinity"], { stdio: "ignore" });
  children.push(child);
  const inside = (...command: string[]) => run("nsenter", ["-t", String(child.pid), "-n", ...command]);
  await reached("a namespace", async () => {
    const names = await Promise.all(
      ["self", String(child.pid)].map((pid) => run("readlink", [`/proc/${pid}/ns/net`])),
    );
    return names[0]?.stdout !== names[1]?.stdout;
  });
  await run("ip", ["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", String(child.pid)]);
  await run("ip", ["link", "set", link, "master", bridge, "up"]);
  await inside("ip", "link", "set", "lo", "up");
  await inside("ip", "addr", "add", `${ipv4}/${range.split("/")[1]}`, "dev", "eth0");
  await inside("ip", "link", "set", "eth0", "up");
  await inside("ip", "route", "add", "default", "via", router);
  if (ipv6) {
    await inside("ip", "-6", "addr", "add", `${ipv6}/64`, "dev", "eth0", "nodad");
    await inside("ip", "-6", "route", "add", "default", "via", ipv6.replace(/::?[0-9a-f]*$/, "::1"));
  }
  return { inside, pid: String(child.pid) };
}

/** Starts the server in a namespace, and waits until it listens by TCP and UDP in both families. */
async function serve(pid: string): Promise<void> {
  const inside = ["-t", pid, "-n"];
  children.push(spawn("nsenter", [...inside, "python3", "-c", SERVER], { stdio: "inherit" }));
  await reached("a server", async () => {
    const { stdout } = await run("nsenter", [...inside, "ss", "-Hltun", "sport = :443"]);
    return stdout.trim().split("\n").length === 4;
  });
}

async function ask(kind: "tcp" | "udp", host: string, seconds: string, from?: string): Promise<string> {
  const client = ["python3", "-c", CLIENT, kind, host, seconds];
  const command = from ? ["nsenter", "-t", from, "-n", ...client] : client;
  return (await run(command[0] as string, command.slice(1))).stdout;
}

/** What connections of both kinds to an address are answered. */
const both = async (host: string, seconds: string, from?: string) =>
  Promise.all([ask("tcp", host, seconds, from), ask("udp", host, seconds, from)]);

try {
  await run("ip", ["link", "set", "lo", "up"]);
  await run("ip", ["link", "add", bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0"]);
  await run("ip", ["addr", "add", `${net4}.1/24`, "dev", bridge]);
  await run("ip", ["link", "set", bridge, "up"]);
  await writeFile("/proc/sys/net/ipv4/ip_forward", "1");
  await writeFile("/proc/sys/net/ipv6/conf/all/forwarding", "1");
  for (const { inputs } of store.all("aws:ec2/subnet:Subnet"))
    await run("ip", [
      ...["-6", "addr", "add", String(inputs.ipv6CidrBlock).replace("::/64", "::1/64")],
      ...["dev", bridge, "nodad"],
    ]);
  const [edge, origin] = walls(store).sort((a) => (a.publicIp ? -1 : 1));
  if (!edge || !origin) throw new Error("the account has not two machines");
  const [insideEdge, insideOrigin] = await Promise.all(
    [edge, origin].map(({ link, ipv4, ipv6 }) => {
      const { range, router } = partOf(ipv4);
      return namespace(link, ipv4, range, router, ipv6[0]);
    }),
  );
  if (!insideEdge || !insideOrigin) throw new Error("no namespace");
  await convergeFirewall(store);
  const internet = await namespace("internet", `${net4}.2`, `${net4}.0/24`, `${net4}.1`);
  await insideEdge.inside("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
  await insideEdge.inside("nft", "-f", rulesFile);
  await Promise.all([serve(insideOrigin.pid), serve(internet.pid)]);
  const [elastic, ipv6, privateIpv4, originIpv6, outbound] = await Promise.all([
    both(edge.publicIp ?? "", limit),
    both(edge.ipv6[0] ?? "", limit),
    both(origin.ipv4, SILENCE),
    both(origin.ipv6[0] ?? "", SILENCE),
    both(`${net4}.2`, limit, insideOrigin.pid),
  ]);
  console.log(JSON.stringify({ elastic, ipv6, privateIpv4, originIpv6, outbound, edge: edge.ipv4 }));
} finally {
  for (const child of children) child.kill("SIGKILL");
}
