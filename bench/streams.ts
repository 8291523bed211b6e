import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Figure } from "./figures.ts";
import { envelopes, type Served, served, withFolder } from "./server.ts";

/** Streams that are closed and reopened in each second of the churn. */
const CHURN = 100;

/** A way to open a stream that says nothing but its keep-alive. */
interface Kind {
  readonly name: string;
  readonly streams: number;
  /** The text of the request. */
  readonly request: (target: Served) => Promise<string>;
}

const KINDS: readonly Kind[] = [
  {
    name: "event streams",
    streams: 10_000,
    request: async ({ url }) => `GET /quiet HTTP/1.1\r\nHost: ${new URL(url).host}\r\n\r\n`,
  },
  {
    name: "subscriptions/listen streams, 2026-07-28",
    streams: 4_000,
    request: async (target) => {
      const { connections, body } = await envelopes("tools/list")(target);
      const listen = JSON.parse(body.replace('"[<id>]"', "1"));
      listen.method = "subscriptions/listen";
      listen.params.notifications = { toolsListChanged: true };
      const text = JSON.stringify(listen);
      const headers = {
        host: new URL(target.url).host,
        ...connections[0],
        "mcp-method": listen.method,
        "content-length": String(Buffer.byteLength(text)),
      };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      return `POST /mcp HTTP/1.1\r\n${lines.join("")}\r\n${text}`;
    },
  },
];

/**
 * Memory of open event streams on the server's own socket: resident memory with all of them open, less what it was before.
 *
 * @param churnSeconds how long streams come and go then, of the first kind; the promise is for 600
 */
export async function streamFigures(churnSeconds: number, log: (line: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [i, kind] of KINDS.entries())
    figures.push(...(await memoryOf(kind, i === 0 ? churnSeconds : 0, log)));
  return figures;
}

async function memoryOf(kind: Kind, churnSeconds: number, log: (line: string) => void): Promise<Figure[]> {
  return withFolder(async (folder) => {
    const server = await served([process.execPath, join(import.meta.dirname, "server/echo.ts")], folder);
    const open = new Set<Socket>();
    try {
      const request = await kind.request(server);
      const some = (count: number) =>
        Promise.all(Array.from({ length: count }, () => stream(server.url, request)));
      const rss = async () => {
        await server.heap(); // collects
        return residentBytes(server.pid);
      };
      // What the first streams need once (code, pools) is not theirs alone.
      for (const socket of await some(200)) socket.destroy();
      await pause(2_000);
      const before = await rss();
      log(`${kind.streams} ${kind.name}`);
      while (open.size < kind.streams) for (const socket of await some(CHURN)) open.add(socket);
      await pause(3_000);
      const full = await rss();
      const each = (bytes: number) => (bytes - before) / kind.streams / 1024;
      const figures: Figure[] = [
        {
          what: `memory of each of ${kind.streams} ${kind.name}`,
          unit: "KB",
          ours: each(full),
          promise: "<= 15 KB",
        },
      ];
      if (churnSeconds === 0) return figures;
      log(`${churnSeconds} s of churn`);
      for (let second = 0; second < churnSeconds; second++) {
        for (const socket of [...open].slice(0, CHURN)) {
          socket.destroy();
          open.delete(socket);
        }
        for (const socket of await some(CHURN)) open.add(socket);
        await pause(900);
      }
      figures.push({
        what: `the same after ${churnSeconds} s of churn, ${CHURN} a second`,
        unit: "KB",
        ours: each(await rss()),
        against: { name: "before the churn", value: each(full) },
        promise: "within 5 %",
      });
      return figures;
    } finally {
      for (const socket of open) socket.destroy();
      await server.stop();
    }
  });
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]) * 1024;
}

/** A stream that has begun; what it says is read and thrown away. */
function stream(url: string, request: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((done, fail) => {
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.once("data", (data) => {
      if (data.toString().startsWith("HTTP/1.1 200")) done(socket);
      else fail(new Error(`no stream: ${data.toString().split("\r\n", 1)[0]}`));
    });
    socket.on("error", fail).resume();
  });
}
