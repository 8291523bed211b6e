import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Figure } from "./figures.ts";
import { served, withFolder } from "./server.ts";

const STREAMS = 5_000;
/** Streams that are closed and reopened in each second of the churn. */
const CHURN = 100;

/**
 * Memory of open event streams on the server's own socket: resident memory with all of them open, less what it was before.
 * @param churnSeconds how long streams come and go then; the promise is for 600
 */
export async function streamFigures(churnSeconds: number, log: (line: string) => void): Promise<Figure[]> {
  return withFolder(async (folder) => {
    const server = await served([process.execPath, join(import.meta.dirname, "server/echo.ts")], folder);
    const open = new Set<Socket>();
    try {
      const rss = () => residentBytes(server.pid);
      // What the first streams need once (code, pools) is not theirs alone.
      const warm = await Promise.all(Array.from({ length: 200 }, () => stream(server.url)));
      for (const socket of warm) socket.destroy();
      await pause(2_000);
      const before = await rss();
      log(`${STREAMS} streams`);
      for (let i = 0; i < STREAMS; i += CHURN)
        for (const socket of await Promise.all(Array.from({ length: CHURN }, () => stream(server.url))))
          open.add(socket);
      await pause(3_000);
      const full = await rss();
      log(`${churnSeconds} s of churn`);
      for (let second = 0; second < churnSeconds; second++) {
        for (const socket of [...open].slice(0, CHURN)) {
          socket.destroy();
          open.delete(socket);
        }
        for (const socket of await Promise.all(Array.from({ length: CHURN }, () => stream(server.url))))
          open.add(socket);
        await pause(900);
      }
      const after = await rss();
      const each = (bytes: number) => (bytes - before) / STREAMS / 1024;
      return [
        {
          what: `memory of each of ${STREAMS} open streams`,
          unit: "KB",
          ours: each(full),
          promise: "<= 25 KB",
        },
        {
          what: `the same after ${churnSeconds} s of churn, ${CHURN} a second`,
          unit: "KB",
          ours: each(after),
          against: { name: "before the churn", value: each(full) },
          promise: "flat",
        },
      ];
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
function stream(url: string): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  return new Promise((done, fail) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(`GET /quiet HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
    );
    socket.once("data", () => done(socket));
    socket.on("error", fail).resume();
  });
}
