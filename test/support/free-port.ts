import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";

/** The first port that the system gives to clients, TCP and UDP alike. Elsewhere than on Linux it is IANA's (RFC 6335, section 6). */
const FIRST_OF_CLIENTS =
  process.platform === "linux"
    ? Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10)
    : 49_152;
/** Below them are some ports of well-known services, and all that need root. */
const FIRST = Math.min(10_000, FIRST_OF_CLIENTS / 2);

const given = new Set<number>();

/**
 * A port of 127.0.0.1 that is free for TCP and for UDP, for a server that has to know its port before it listens. The port is not one
 * that the system gives to a client's socket or to a server of port 0: another process would get such a port before the server takes it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (FIRST_OF_CLIENTS - FIRST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

/** Whether nothing listens on a port of 127.0.0.1, neither by TCP nor by UDP. */
export async function isFree(port: number): Promise<boolean> {
  const udp = createSocket("udp4");
  const tcp = createServer();
  udp.bind(port, "127.0.0.1");
  tcp.listen(port, "127.0.0.1");
  const opened = await Promise.allSettled([once(udp, "listening"), once(tcp, "listening")]);
  await Promise.all([closed(udp), closed(tcp)]);
  return opened.every(({ status }) => status === "fulfilled");
}

/** One that could not be bound counts as closed. */
async function closed(socket: Socket | Server): Promise<void> {
  await new Promise<void>((done) => {
    try {
      socket.close(() => done());
    } catch {
      done();
    }
  });
}
