import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { http3Fetch } from "../cli/http3/http3-fetch.ts";
import { Checkout, inMachine, load, type UpOutput } from "../test/machine/support.ts";
import { type Figure, median } from "./figures.ts";

interface Options {
  warm: boolean;
  log: (line: string) => void;
}

const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
  const began = performance.now();
  return [await work(), (performance.now() - began) / 1000];
};

/** What a command on the machine prints. @throws Error when it fails */
async function output(checkout: Checkout, stack: string, ...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await inMachine(checkout, stack, ...command);
  if (code !== 0) throw new Error(`${command[0]} on the machine ended with ${code}: ${stderr}`);
  return stdout;
}

/** Seconds that a bare guest of the same root filesystem takes to boot: the floor of any machine here. */
async function bareBoot(checkout: Checkout, stack: string): Promise<number> {
  const stdout = await output(checkout, stack, "systemd-analyze", "time");
  // In a container there is one part only, and no sum: "Startup finished in 7.1s (userspace)".
  const match = /(?:= |finished in )(?:(\d+)min )?([\d.]+)s(?: \(userspace\))?\s*$/.exec(
    stdout.split("\n")[0] ?? "",
  );
  return match ? Number(match[1] ?? 0) * 60 + Number(match[2]) : Number.NaN;
}

/** Seconds until `up` has seen the machine answer (its resource is made when it does), and until the command ended. */
async function secondMachine(checkout: Checkout, stack: string): Promise<[number, number]> {
  const began = performance.now();
  const since = () => (performance.now() - began) / 1000;
  const child = checkout.start("up", "--stack", stack, "--no-doctor");
  let answered = Number.NaN;
  let output = "";
  const watch = (chunk: Buffer) => {
    output += chunk;
    if (Number.isNaN(answered) && output.includes(`${stack}-machine: create done`)) answered = since();
  };
  child.stdout?.on("data", watch);
  child.stderr?.on("data", watch);
  const code = await new Promise((done) => child.once("close", done));
  if (code !== 0) throw new Error(`up failed (${code}):\n${output}`);
  return [answered, since()];
}

/** Median milliseconds to the first byte of /demo/stream through HTTP/3, on a connection that is open. */
async function firstByteOverHttp3(up: UpOutput, rounds: number): Promise<number> {
  const ca = await readFile(up.deployed.rootsFile, "utf8");
  const client = http3Fetch({ ca, address: up.deployed.ipv4 });
  const url = new URL("/demo/stream?n=1", up.deployed.url).href;
  const times: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const abort = new AbortController();
      const began = performance.now();
      const response = await client.fetch(url, { signal: abort.signal });
      await response.body?.getReader().read();
      times.push(performance.now() - began);
      abort.abort();
    }
  } finally {
    await client.close();
  }
  return median(times.slice(3));
}

/** The same asked of the server's own socket on the machine, by the release's Node: no NGINX, no QUIC, no TLS. */
async function firstByteOfServer(checkout: Checkout, up: UpOutput, rounds: number): Promise<number> {
  const { hostname } = new URL(up.deployed.url);
  const program = `
    const { Agent, get } = require("node:http");
    const agent = new Agent({ keepAlive: true });
    const headers = { host: ${JSON.stringify(hostname)} };
    const once = () => new Promise((done, fail) => {
      const began = performance.now();
      get({ host: "127.0.0.1", port: 8080, path: "/demo/stream?n=1", headers, agent }, (response) => {
        response.once("data", () => { const took = performance.now() - began; response.destroy(); done(took); });
      }).on("error", fail);
    });
    (async () => { const all = []; for (let i = 0; i < ${rounds}; i++) all.push(await once()); console.log(JSON.stringify(all)); })();`;
  const node = "/opt/mcp-edge/active/bin/node";
  const stdout = await output(checkout, up.deployed.stack, node, "-e", program);
  return median((JSON.parse(stdout) as number[]).slice(3));
}

/** Boot, measure, remove. Every figure of one call comes from the same run. */
export async function machineFigures({ warm, log }: Options): Promise<Figure[]> {
  const checkout = await Checkout.create();
  if (!warm) checkout.env.MCP_EDGE_CACHE = join(checkout.folder, "cache");
  try {
    log(warm ? "first machine, from the cache" : "first machine, nothing cached");
    const [first, firstTime] = await timed(() =>
      checkout.up("one", "--no-doctor", "--set", "rateLimit=1000"),
    );
    const boot = await bareBoot(checkout, "one");
    log("second machine, from the cache");
    const [answered, secondTime] = await secondMachine(checkout, "two");
    await checkout.cli("down", "--stack", "two");
    log("preview, and up with nothing to change");
    const preview = await checkout.cli("preview", "--json", "--stack", "one");
    const [, unchangedTime] = await timed(() => checkout.up("one", "--no-doctor"));
    log("first byte of a stream");
    const rounds = 53;
    const own = await firstByteOfServer(checkout, first, rounds);
    const http3 = await firstByteOverHttp3(first, rounds);
    log("a release under load");
    await checkout.edit("server/version.ts", '"0.1.0"', '"0.1.0-bench"');
    const traffic = load(first, first.token?.token ?? "", 100);
    const [, releaseTime] = await timed(() => checkout.up("one", "--no-doctor"));
    const { sent, failures } = await traffic.stop();
    const floor = { name: "the guest's own boot, cloud-init included", value: boot };
    return [
      {
        what: warm ? "up, a first machine from the cache" : "up, nothing cached, engine present",
        unit: "s",
        ours: firstTime,
        against: floor,
        ...(warm ? {} : { promise: "<= 75 s" }),
      },
      {
        what: "a second machine from the cache, until it answers under its ACME certificate",
        unit: "s",
        ours: answered,
        against: floor,
        promise: "<= 12 s",
      },
      { what: "the same, the whole command", unit: "s", ours: secondTime },
      { what: "up, nothing changed", unit: "s", ours: unchangedTime },
      { what: "preview", unit: "s", ours: preview.took / 1000, promise: "<= 5 s" },
      { what: "up, a changed release", unit: "s", ours: releaseTime, promise: "<= 10 s" },
      {
        what: "requests failed during that release",
        unit: "requests",
        ours: failures.length,
        note: `of ${sent} sent, half of them POST`,
        promise: "0",
      },
      {
        what: "first byte of /demo/stream over HTTP/3",
        unit: "ms",
        ours: http3,
        against: { name: "the server's own socket", value: own },
        promise: "<= 2 ms over it",
      },
    ];
  } finally {
    await checkout.remove("one", "two");
  }
}
