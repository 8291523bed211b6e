import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";

/** A version of the pattern 0x?a?a?a?a is reserved to make servers negotiate (RFC 9000 section 15). */
const GREASE_VERSION = 0x1a2a3a4a;
/** Smaller Initial packets are dropped (RFC 9000 section 14.1). */
const DATAGRAM = 1_200;
const RESEND_MS = [0, 300, 900, 2_100, 4_500];
const QUIC_V1 = 1;

/** The packet: a long header with an unknown version, random connection IDs, padding. */
export function probePacket(destination: Buffer, source: Buffer): Buffer {
  const packet = Buffer.alloc(DATAGRAM);
  // Form and fixed bit, type Initial.
  packet[0] = 0xc0;
  packet.writeUInt32BE(GREASE_VERSION, 1);
  packet[5] = destination.length;
  destination.copy(packet, 6);
  packet[6 + destination.length] = source.length;
  source.copy(packet, 7 + destination.length);
  return packet;
}

/**
 * The versions in a Version Negotiation packet that answers ours (RFC 8999 section 6), or undefined when it does not.
 * It must carry our connection IDs back, swapped: so a stranger cannot answer.
 */
export function versionsOf(packet: Buffer, destination: Buffer, source: Buffer): number[] | undefined {
  const head = 7 + source.length + destination.length;
  if (packet.length < head + 4 || ((packet[0] ?? 0) & 0x80) === 0 || packet.readUInt32BE(1) !== 0)
    return undefined;
  const echoed = Buffer.concat([
    Buffer.of(source.length),
    source,
    Buffer.of(destination.length),
    destination,
  ]);
  if (!packet.subarray(5, head).equals(echoed)) return undefined;
  const versions: number[] = [];
  for (let at = head; at + 4 <= packet.length; at += 4) versions.push(packet.readUInt32BE(at));
  return versions;
}

/**
 * Asks the UDP port which QUIC versions it speaks. Needs no TLS, so it tells a blocked port from a broken HTTP/3.
 * @returns whether version 1 is among them and how long the answer took, milliseconds
 * @throws the socket's error (ECONNREFUSED when the host says that nobody listens), or the signal's reason
 */
export function probeQuic(
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<{ v1: boolean; ms: number }> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<{ v1: boolean; ms: number }>();
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  const destination = randomBytes(8);
  const source = randomBytes(8);
  const started = performance.now();
  const timers: NodeJS.Timeout[] = [];
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.on("error", reject);
  socket.on("message", (packet) => {
    const versions = versionsOf(packet, destination, source);
    if (versions) resolve({ v1: versions.includes(QUIC_V1), ms: performance.now() - started });
  });
  // Connected, so that ICMP "port unreachable" reaches us as ECONNREFUSED.
  socket.connect(port, address, (error?: Error) => {
    if (error) return reject(error);
    for (const wait of RESEND_MS) {
      timers.push(setTimeout(() => socket.send(probePacket(destination, source)), wait));
    }
  });
  return promise.finally(() => {
    for (const timer of timers) clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    socket.close();
  });
}
