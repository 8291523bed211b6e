import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { machineFiles } from "../cloud-init/machine-files.ts";
import { run } from "../infra/exec.ts";
import { type DebianRoot, rootWithPrograms } from "../test/cloud-init/debian-root.ts";
import { SETTINGS } from "../test/cloud-init/fixture.ts";
import type { Figure } from "./figures.ts";
import type { Served } from "./server/load-types.ts";
import { envelopes } from "./server/loads.ts";
import { served, withFolder } from "./server/served.ts";

const WARM_UP = 5;
const SECONDS = 6;
/** The server has the first core. NGINX and the load generator share the second. */
const OTHER_CORE = ["taskset", "-c", "1"];
const DOMAIN = "bench.example";

const PROTOCOLS = { h1: "HTTP/1.1", h2: "HTTP/2", h3: "HTTP/3" } as const;
type Protocol = keyof typeof PROTOCOLS;

/** The load comes from one address, and has one token. */
const NGINX = `ip link set lo up
sed -i 's/rate=[0-9]*r/rate=100000r/; s/burst=[0-9]*/burst=100000/' /etc/nginx/mcp-edge/limits.conf
sed -i 's/^worker_processes .*/worker_processes 1;/' /etc/nginx/nginx.conf
exec ${OTHER_CORE.join(" ")} nginx -g 'daemon off;'`;

/** What protocols/load/main.go prints. */
interface Sent {
  readonly answered: number;
  readonly failed: number;
  readonly reason: string | null;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface Rate {
  readonly perSecond: number;
  readonly failed: number;
  /** Microseconds of processor time for a request. */
  readonly micros: { readonly server: number; readonly nginx: number; readonly client: number };
}

/**
 * Calls of a tool through the machine's NGINX by each protocol, beside calls on the server's own socket, all by one load generator. Client and
 * NGINX share a core, so the processor time of each says what limits the rate.
 */
export async function protocolFigures(log: (line: string) => void): Promise<Figure[]> {
  const root = await rootWithPrograms(machineFiles({ ...SETTINGS, domain: DOMAIN }));
  try {
    return await withFolder(async (folder) => {
      const program = join(folder, "load");
      await run("go", ["build", "-C", join(import.meta.dirname, "protocols/load"), "-o", program, "."], {
        timeout: 600_000,
        env: { ...process.env, CGO_ENABLED: "0" },
      });
      const ended = root.sh(NGINX);
      // It may fail before it is awaited below, which must not end this process without its clean-up.
      ended.catch(() => undefined);
      try {
        const network = await inNetwork(root);
        const command = [...network, process.execPath, join(import.meta.dirname, "server/echo.ts")];
        const server = await served(command, folder, { BENCH_PORT: "8080" });
        try {
          return await rates(server, [...network, ...OTHER_CORE, program], root, log);
        } finally {
          await server.stop();
        }
      } finally {
        for (const pid of nginxPids(root)) process.kill(pid, "SIGTERM");
        const { code, output } = await ended;
        if (code !== 0) log(`NGINX ended with ${code}: ${output}`);
      }
    });
  } finally {
    root.remove();
  }
}

async function rates(
  server: Served,
  program: readonly string[],
  root: DebianRoot,
  log: (line: string) => void,
): Promise<Figure[]> {
  const [size, tool] = ["200 B", "echo"];
  const measure = async (protocol: Protocol, direct: boolean): Promise<Rate> => {
    const how = `${PROTOCOLS[protocol]}${direct ? " to the server's own socket" : " through NGINX"}`;
    log(how);
    const { connections, body, expect } = await envelopes("tools/call", tool)(server);
    const [all = {}] = connections;
    const { authorization = "" } = all;
    const names = Object.entries(all).filter(([name]) => !/^x-/.test(name));
    const order = {
      url: direct ? server.url : `https://${DOMAIN}/mcp`,
      address: direct ? new URL(server.url).host : "127.0.0.1:443",
      protocol,
      headers: direct ? { ...all, host: DOMAIN } : { ...Object.fromEntries(names), authorization },
      body: body.replace('"[<id>]"', "1"),
      expect,
      connections: connections.length,
    };
    const send = (seconds: number): Sent => {
      const [command = "", ...args] = program;
      const input = JSON.stringify({ ...order, seconds });
      const { stdout, stderr } = spawnSync(command, args, { input, encoding: "utf8" });
      if (stdout === "") throw new Error(`the load generator ended: ${stderr}`);
      return JSON.parse(stdout);
    };
    send(WARM_UP);
    const [serverBefore, nginxBefore] = [cpuSeconds([server.pid]), cpuSeconds(nginxPids(root))];
    const sent = send(SECONDS);
    if (sent.failed > 0) log(`${how}: ${sent.failed} failed: ${sent.reason}`);
    const micros = (seconds: number) => Math.round((seconds / sent.answered) * 1e6);
    return {
      perSecond: sent.answered / sent.seconds,
      failed: sent.failed,
      micros: {
        server: micros(cpuSeconds([server.pid]) - serverBefore),
        nginx: micros(cpuSeconds(nginxPids(root)) - nginxBefore),
        client: micros(sent.cpuSeconds),
      },
    };
  };
  const direct = await measure("h1", true);
  const figures: Figure[] = [];
  for (const protocol of Object.keys(PROTOCOLS) as Protocol[]) {
    const { perSecond, micros, failed } = await measure(protocol, false);
    figures.push({
      what: `calls of ${size} over ${PROTOCOLS[protocol]} through NGINX`,
      unit: "req/s",
      ours: perSecond,
      against: { name: "HTTP/1.1 to the server", value: direct.perSecond },
      ...(protocol === "h3" ? { promise: ">= 0.70 x" } : {}),
      note: `CPU of a call: server ${micros.server} us (direct: ${direct.micros.server}), NGINX ${micros.nginx} us, client ${micros.client} us (direct: ${direct.micros.client})${failed ? `, ${failed} FAILED` : ""}`,
    });
  }
  return figures;
}

/** The command before another one that runs it in NGINX's network, once NGINX listens. */
async function inNetwork(root: DebianRoot): Promise<string[]> {
  const until = Date.now() + 30_000;
  // A master and a worker.
  while (nginxPids(root).length < 2) {
    if (Date.now() > until) throw new Error("NGINX does not start");
    await new Promise((done) => setTimeout(done, 100));
  }
  return ["nsenter", "--target", String(nginxPids(root)[0]), "--net"];
}

/** NGINX's processes, as the host sees them. */
function nginxPids({ folder }: DebianRoot): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const program = readFileSync(`/proc/${pid}/comm`, "utf8");
        return program === "nginx\n" && readFileSync(`/proc/${pid}/mountinfo`, "utf8").includes(folder);
      } catch {
        return false; // It has ended.
      }
    })
    .map(Number);
}

/** Processor time of processes since their start: fields 14 and 15 of /proc/PID/stat, in hundredths of a second. */
function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}
