import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { http3Fetch } from "../../cli/http3/http3-fetch.ts";
import { type RunResult, run } from "../../infra/exec.ts";
import { ask, Checkout, inMachine, type UpOutput } from "../machine/support.ts";
import { debianTools } from "./tools.ts";

const STACK = "external";
/** Addresses of the clients, within the stack's network; the machine itself is at .10. */
const FIRST = 20;
const CLIENTS = 200;
const PAUSE_MS = 200;

/** How honest clients fared: each request is on a connection of its own. */
export interface Served {
  requests: number;
  failed: string[];
  /** Milliseconds of the slowest one. */
  slowest: number;
}

/** A machine of a stack of this host, and a network namespace with 200 clients' addresses beside it. */
export class TestedMachine {
  readonly #checkout: Checkout;
  readonly #namespace: string;
  readonly up: UpOutput;
  readonly domain: string;
  readonly address: string;
  readonly ca: string;

  private constructor(checkout: Checkout, up: UpOutput, ca: string) {
    this.#checkout = checkout;
    this.up = up;
    // `down` removes a namespace that is named for the stack's bridge.
    this.#namespace = `mcpe${up.deployed.networkIndex}-clients`;
    this.domain = new URL(up.deployed.url).hostname;
    this.address = up.deployed.ipv4;
    this.ca = ca;
  }

  static async create(): Promise<TestedMachine> {
    const checkout = await Checkout.create();
    const up = await checkout.up(STACK, "--no-doctor");
    const machine = new TestedMachine(checkout, up, await readFile(up.deployed.rootsFile, "utf8"));
    const ns = machine.#namespace;
    const link = `j${process.pid}`;
    const script = [
      `ip netns add ${ns}`,
      `ip link add ${link} type veth peer name eth0 netns ${ns}`,
      `ip link set ${link} master mcpe${up.deployed.networkIndex} up`,
      `ip -n ${ns} link set lo up`,
      `ip -n ${ns} link set eth0 up`,
      ...Array.from({ length: CLIENTS }, (_, at) => `ip -n ${ns} addr add ${machine.client(at)}/24 dev eth0`),
    ];
    await run("sh", ["-ec", script.join("\n")]);
    return machine;
  }

  /** The address of a client. @param number 0 to 199 */
  client = (number: number) => this.address.replace(/\d+$/, String(FIRST + number));

  /** Runs a program of the host from the clients' addresses. */
  outside(command: string, args: string[], options: Parameters<typeof run>[2] = {}): Promise<RunResult> {
    return run("ip", ["netns", "exec", this.#namespace, command, ...args], { timeout: 600_000, ...options });
  }

  /** Runs a flood of test/cloud-init. @returns what it prints */
  async flood(program: "flood.py" | "flood_http.py", ...args: (string | number)[]): Promise<string> {
    const script = join(import.meta.dirname, "../cloud-init", program);
    const env = { TARGET4: this.address, TOKEN: this.up.token?.token };
    return (await this.outside("python3", [script, ...args.map(String)], { env })).stdout.trim();
  }

  /** Runs a shell script in Debian 13 with the external tools, from the clients' addresses; /ca.pem has the roots. */
  async inDebian(script: string): Promise<RunResult> {
    const root = await debianTools();
    const mounts = [
      "mount -t tmpfs tmpfs $ROOT/tmp",
      "mount --rbind /dev $ROOT/dev",
      "mount -t proc proc $ROOT/proc",
      'cp "$CA" $ROOT/tmp/ca.pem',
      "touch $ROOT/etc/hosts; mount --bind /etc/hosts $ROOT/etc/hosts",
      'exec chroot $ROOT /bin/bash -c "$1"',
    ];
    const env = { ROOT: root, CA: this.up.deployed.rootsFile, LC_ALL: "C.UTF-8", TERM: "dumb" };
    const accept = Array.from({ length: 256 }, (_, code) => code);
    return this.outside("unshare", ["--mount", "sh", "-ec", mounts.join("\n"), "sh", script], {
      env,
      accept,
    });
  }

  onMachine = async (script: string): Promise<string> => {
    const { code, stdout, stderr } = await inMachine(this.#checkout, STACK, "bash", "-c", script);
    if (code !== 0) throw new Error(`${script}: ended with ${code}: ${stderr}`);
    return stdout.trim();
  };

  /** MiB of memory that NGINX and the server use. */
  async memory(): Promise<{ nginx: number; server: number }> {
    const sum = (filter: string) =>
      `ps ${filter} -o rss= | awk '{ all += $1 } END { print int(all / 1024) }'`;
    const [nginx, server] = (await this.onMachine(`${sum("-C nginx")}; ${sum("-u mcp-edge")}`)).split("\n");
    return { nginx: Number(nginx), server: Number(server) };
  }

  /** Honest clients until `stop`: five times a second a new connection over TCP and one over HTTP/3. */
  honest(): { stop(): Promise<Record<"TCP" | "HTTP/3", Served>> } {
    const served = {
      TCP: { requests: 0, failed: [] as string[], slowest: 0 },
      "HTTP/3": { requests: 0, failed: [] as string[], slowest: 0 },
    };
    const pending = new Set<Promise<void>>();
    const one = async (kind: keyof typeof served, request: () => Promise<number>) => {
      const figures = served[kind];
      figures.requests += 1;
      const began = performance.now();
      try {
        const status = await request();
        if (status !== 200) figures.failed.push(`status ${status}`);
      } catch (error) {
        figures.failed.push((error as Error).message);
      }
      figures.slowest = Math.max(figures.slowest, Math.round(performance.now() - began));
    };
    const timer = setInterval(() => {
      for (const work of [
        one("TCP", async () => (await ask(this.up, "/readyz")).status),
        one("HTTP/3", () => this.#overHttp3()),
      ]) {
        pending.add(work);
        work.finally(() => pending.delete(work));
      }
    }, PAUSE_MS);
    return {
      stop: async () => {
        clearInterval(timer);
        await Promise.all(pending);
        return served;
      },
    };
  }

  async #overHttp3(): Promise<number> {
    const client = http3Fetch({ ca: this.ca, address: this.address, connectTimeoutMs: 15_000 });
    try {
      const response = await client.fetch(new URL("/readyz", this.up.deployed.url).href);
      await response.text();
      return response.status;
    } finally {
      await client.close();
    }
  }

  async remove(): Promise<void> {
    await run("ip", ["netns", "del", this.#namespace], { accept: [0, 1] });
    await this.#checkout.remove(STACK);
  }
}
