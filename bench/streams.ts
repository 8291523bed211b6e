import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Figure } from "./figures.ts";
import {
  envelopes,
  initialized,
  measured,
  plain,
  type Served,
  served,
  sessions,
  withFolder,
} from "./server.ts";

/** Open streams of each kind. */
const STREAMS = 10_000;
/** Streams that are closed and opened again in each second of the churn. */
const CHURN = 100;
/** Streams that are opened at the same time. */
const PARALLEL = 20;
/** How often an opening is tried again, a second later, while the server sheds load. */
const RETRIES = 30;

/** A way to open a stream that sends nothing but its keep-alive. */
interface Kind {
  readonly name: string;
  readonly program: string;
  /** Makes the text of each request. */
  readonly requests: (target: Served) => Promise<() => Promise<string>>;
  /** Load before the measurement. */
  readonly warmUp: (target: Served) => Promise<unknown>;
  readonly promise?: string;
}

const LIMIT: Kind = {
  name: "bare node:http",
  program: "ceiling.ts",
  requests: async (target) => async () => text(target, "GET", "/quiet", {}),
  warmUp: (target) => measured(target, plain("echo")),
};

const ours = (target: Served) => measured(target, sessions("echo"));

const KINDS: readonly Kind[] = [
  {
    name: "event streams",
    program: "echo.ts",
    requests: async (target) => async () => text(target, "GET", "/quiet", target.headers),
    warmUp: ours,
    promise: "<= 15 KB",
  },
  {
    name: "subscriptions/listen streams, 2026-07-28",
    program: "echo.ts",
    requests: async (target) => {
      const { connections, body } = await envelopes("tools/list")(target);
      const listen = JSON.parse(body.replace('"[<id>]"', "1"));
      listen.method = "subscriptions/listen";
      listen.params.notifications = { toolsListChanged: true };
      const headers = { ...connections[0], "mcp-method": listen.method };
      const request = text(target, "POST", "/mcp", headers, JSON.stringify(listen));
      return async () => request;
    },
    warmUp: ours,
    promise: "<= 15 KB",
  },
  {
    name: "notification streams of sessions, 2025-11-25",
    program: "echo.ts",
    requests: async (target) => {
      // Open before the measurement. A stream that is opened again replaces the one of the session that waited longest.
      const opened: Record<string, string>[] = [];
      while (opened.length < STREAMS + CHURN)
        opened.push(
          ...(await Promise.all(Array.from({ length: PARALLEL }, () => retried(() => initialized(target))))),
        );
      let next = 0;
      return async () => {
        const session = opened[next++ % opened.length];
        return text(target, "GET", "/mcp", { ...session, accept: "text/event-stream" });
      };
    },
    warmUp: ours,
    promise: "<= 15 KB",
  },
];

function text(
  { url }: Served,
  method: string,
  path: string,
  headers: Record<string, string | undefined>,
  body = "",
): string {
  const all = {
    host: new URL(url).host,
    ...headers,
    ...(body ? { "content-length": String(Buffer.byteLength(body)) } : {}),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

/**
 * Memory of open event streams on the server's own socket: resident memory with all of them open, less what it was before, beside what Node's
 * own server needs for the same.
 *
 * @param churnSeconds how long streams of each of our kinds come and go then; the promise is for 600
 */
export async function streamFigures(churnSeconds: number, log: (line: string) => void): Promise<Figure[]> {
  const { full: limit } = await memoryOf(LIMIT, 0, log);
  const figures: Figure[] = [];
  for (const kind of KINDS) {
    const { full, churned } = await memoryOf(kind, churnSeconds, log);
    const promise = kind.promise === undefined ? {} : { promise: kind.promise };
    figures.push({
      what: `memory of each of ${STREAMS} ${kind.name}`,
      unit: "KB",
      ours: full,
      against: { name: LIMIT.name, value: limit },
      ...promise,
    });
    if (churned !== undefined)
      figures.push({
        what: `the same after ${churnSeconds} s of churn, ${CHURN} a second`,
        unit: "KB",
        ours: churned,
        against: { name: "before the churn", value: full },
        promise: "within 5 %",
      });
  }
  return figures;
}

async function memoryOf(
  kind: Kind,
  churnSeconds: number,
  log: (line: string) => void,
): Promise<{ full: number; churned: number | undefined }> {
  return withFolder(async (folder) => {
    const server = await served(
      [process.execPath, join(import.meta.dirname, "server", kind.program)],
      folder,
    );
    const open = new Set<Socket>();
    try {
      // The code and the young generation of a server that has answered calls are not the streams'.
      await kind.warmUp(server);
      const request = await kind.requests(server);
      const one = () => retried(async () => stream(server.url, await request()));
      const some = async (count: number) => {
        const opened: Socket[] = [];
        while (opened.length < count)
          opened.push(...(await Promise.all(Array.from({ length: PARALLEL }, one))));
        return opened;
      };
      const resident = async () => {
        await server.heap(); // collects
        return residentBytes(server.pid);
      };
      for (const socket of await some(CHURN)) socket.destroy();
      await pause(2_000);
      const before = await resident();
      log(`${STREAMS} ${kind.name}`);
      while (open.size < STREAMS) for (const socket of await some(CHURN)) open.add(socket);
      await pause(3_000);
      const each = async () => ((await resident()) - before) / STREAMS / 1024;
      const full = await each();
      if (churnSeconds === 0) return { full, churned: undefined };
      log(`${churnSeconds} s of churn`);
      for (let second = 0; second < churnSeconds; second++) {
        const began = performance.now();
        for (const socket of [...open].slice(0, CHURN)) {
          socket.destroy();
          open.delete(socket);
        }
        for (const socket of await some(CHURN)) open.add(socket);
        await pause(Math.max(0, 1_000 - (performance.now() - began)));
      }
      return { full, churned: await each() };
    } finally {
      for (const socket of open) socket.destroy();
      await server.stop();
    }
  });
}

/** As a client does while the server sheds load. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let retries = RETRIES; ; retries--)
    try {
      return await work();
    } catch (error) {
      if (retries === 0 || !String(error).includes(" 503 ")) throw error;
      await pause(1_000);
    }
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
}

/** A stream that has begun; what it sends is read and thrown away. */
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
