import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Figure } from "./figures.ts";
import type { Served } from "./server/load-types.ts";
import { envelopes, initialized, plain, sessions } from "./server/loads.ts";
import type { Memory } from "./server/memory.ts";
import { measured, served, withFolder } from "./server/served.ts";

/** Open streams of each kind. */
const STREAMS = 10_000;
/** Streams that are closed and opened again in each second of the churn. */
const CHURN = 100;
/** Streams that are opened at the same time. */
const PARALLEL = 20;
/**
 * The churn before its measurement begins, seconds. What is set up once when streams come and go, such as compiled code and longer tables, is not
 * growth.
 */
const SETTLING = 60;
/** Time for the ends of connections to arrive before memory is measured, milliseconds. */
const SETTLE_MS = 3_000;
/** How often an opening is tried again, a second later, while the server sheds load. */
const RETRIES = 30;

/** A request that opens a stream. */
interface Opening {
  readonly request: string;
  /** Ends what else the request has used, after the stream. */
  end?(): Promise<void>;
}

/** A way to open a stream that sends nothing but its keep-alive. */
interface Kind {
  /** What `--kind` calls it. */
  readonly option: string;
  readonly name: string;
  readonly program: string;
  readonly requests: (target: Served) => Promise<() => Promise<Opening>>;
  /** Load before the measurement. */
  readonly warmUp: (target: Served) => Promise<unknown>;
  readonly promise?: string;
}

const LIMIT: Kind = {
  option: "bare",
  name: "bare node:http",
  program: "ceiling.ts",
  requests: async (target) => async () => ({ request: text(target, "GET", "/quiet", {}) }),
  warmUp: (target) => measured(target, plain("echo")),
};

const ours = (target: Served) => measured(target, sessions("echo"));

const KINDS: readonly Kind[] = [
  {
    option: "events",
    name: "event streams",
    program: "echo.ts",
    requests: async (target) => async () => ({ request: text(target, "GET", "/quiet", target.headers) }),
    warmUp: ours,
    promise: "<= 15 KB",
  },
  {
    option: "listen",
    name: "subscriptions/listen streams, 2026-07-28",
    program: "echo.ts",
    requests: async (target) => {
      const { connections, body } = await envelopes("tools/list")(target);
      const listen = JSON.parse(body.replace('"[<id>]"', "1"));
      listen.method = "subscriptions/listen";
      listen.params.notifications = { toolsListChanged: true };
      const headers = { ...connections[0], "mcp-method": listen.method };
      const request = text(target, "POST", "/mcp", headers, JSON.stringify(listen));
      return async () => ({ request });
    },
    warmUp: ours,
    promise: "<= 15 KB",
  },
  {
    option: "sessions",
    name: "notification streams of sessions, 2025-11-25",
    program: "echo.ts",
    requests: async (target) => {
      // These are open before the measurement. In the churn, a session is opened and ended with each stream.
      const opened: Record<string, string>[] = [];
      const open = () => retried(() => initialized(target));
      while (opened.length < STREAMS + CHURN)
        opened.push(...(await Promise.all(Array.from({ length: PARALLEL }, open))));
      return async () => {
        const session = opened.pop() ?? (await open());
        return {
          request: text(target, "GET", "/mcp", { ...session, accept: "text/event-stream" }),
          end: () =>
            retried(async () => {
              const { ok, status } = await fetch(target.url, { method: "DELETE", headers: session });
              if (!ok) throw new Error(`a session was not ended: HTTP/1.1 ${status} `);
            }),
        };
      };
    },
    warmUp: ours,
    promise: "<= 15 KB",
  },
];

/** The values of `--kind`. */
export const STREAM_KINDS: readonly string[] = KINDS.map(({ option }) => option);

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
 * own server needs for the same. Then the memory of the whole process after streams have come and gone.
 *
 * @param churnSeconds how long streams of each of our kinds come and go; the promise is for 600
 * @param kinds those of STREAM_KINDS to measure; none for all
 */
export async function streamFigures(
  churnSeconds: number,
  kinds: readonly string[],
  log: (line: string) => void,
): Promise<Figure[]> {
  const limit = await memoryOf(LIMIT, 0, log);
  const figures: Figure[] = [];
  for (const kind of KINDS) {
    if (kinds.length > 0 && !kinds.includes(kind.option)) continue;
    const { each, opened, churn } = await memoryOf(kind, churnSeconds, log);
    figures.push({
      what: `memory of each of ${STREAMS} ${kind.name}`,
      unit: "KB",
      ours: each / 1024,
      against: { name: LIMIT.name, value: limit.each / 1024 },
      ...(kind.promise === undefined ? {} : { promise: kind.promise }),
      note: `the whole server: ${Math.round(opened.rss / 1024 / 1024)} MB`,
    });
    if (churn)
      figures.push(
        change("heap", opened.heap, churn.before.heap, churn.after.heap, churnSeconds),
        change("resident memory", opened.rss, churn.before.rss, churn.after.rss, churnSeconds),
      );
  }
  return figures;
}

/** How far the memory of the process is from what it was with as many streams after the first minute of churn. */
function change(what: string, opened: number, before: number, after: number, churnSeconds: number): Figure {
  const since = (earlier: number) =>
    `${after < earlier ? "" : "+"}${((after / earlier - 1) * 100).toFixed(1)} %`;
  return {
    what: `${what} after ${churnSeconds} s of churn, ${CHURN} streams a second`,
    unit: "MB",
    ours: after / 1024 / 1024,
    against: { name: `after its first ${SETTLING} s`, value: before / 1024 / 1024 },
    promise: "within 5 %",
    note: `${since(before)}; since before all churn (${(opened / 1024 / 1024).toFixed(1)} MB): ${since(opened)}`,
  };
}

interface Measured {
  /** Resident bytes of a stream. */
  readonly each: number;
  /** Of the process, with all streams open. */
  readonly opened: Memory;
  /** The same before and after the churn that counts. */
  readonly churn?: { readonly before: Memory; readonly after: Memory };
}

async function memoryOf(kind: Kind, churnSeconds: number, log: (line: string) => void): Promise<Measured> {
  return withFolder(async (folder) => {
    const server = await served(
      [process.execPath, join(import.meta.dirname, "server", kind.program)],
      folder,
    );
    const open = new Map<Socket, Opening>();
    try {
      // The code and the young generation of a server that has answered calls are not the streams'.
      await kind.warmUp(server);
      const opening = await kind.requests(server);
      const one = () =>
        retried(async () => {
          const opened = await opening();
          open.set(await stream(server.url, opened.request), opened);
        });
      const some = async (count: number) => {
        for (let n = 0; n < count; n += PARALLEL) await Promise.all(Array.from({ length: PARALLEL }, one));
      };
      const end = async (count: number) => {
        const ended = [...open].slice(0, count);
        for (const [socket] of ended) {
          socket.destroy();
          open.delete(socket);
        }
        await Promise.all(ended.map(([, { end: more }]) => more?.()));
      };
      const settled = async () => {
        await pause(SETTLE_MS);
        return server.memory();
      };
      await some(CHURN);
      await end(CHURN);
      const none = await settled();
      log(`${STREAMS} ${kind.name}`);
      await some(STREAMS);
      const opened = await settled();
      const each = (opened.rss - none.rss) / STREAMS;
      if (churnSeconds === 0) return { each, opened };
      const churned = async (seconds: number) => {
        log(`${seconds} s of churn`);
        for (let second = 0; second < seconds; second++) {
          const began = performance.now();
          // Some streams go, and as many come.
          await end(CHURN);
          await some(CHURN);
          await pause(Math.max(0, 1_000 - (performance.now() - began)));
        }
        return settled();
      };
      const before = await churned(SETTLING);
      return { each, opened, churn: { before, after: await churned(churnSeconds) } };
    } finally {
      for (const socket of open.keys()) socket.destroy();
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
