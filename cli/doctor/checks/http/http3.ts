import { tlsServerCommands } from "../../advice.ts";
import { type Check, CheckFailure } from "../../check.ts";
import type { Context } from "../../context.ts";
import { explain } from "../../explain.ts";
import { tryAddresses } from "../each-address.ts";
import { assertServed } from "./http1.ts";

/**
 * New connections at each address. One alone proves little: after a reload an old NGINX worker that still serves a
 * stream drops about half of the new QUIC connections.
 */
const CONNECTIONS = 6;

/** Half of the check's time limit, which leaves time to count the failures. */
const CONNECT_SHARE = 0.5;

const PARTLY_FIX =
  "An old NGINX worker swallows new QUIC connections after a reload: systemctl restart nginx; and bound its life " +
  "with worker_shutdown_timeout 2s;";

export const http3: Check = {
  id: "http3",
  title: "HTTP/3",
  needs: ["udp"],
  tried: ({ target }) =>
    `GET ${target.origin}/ over HTTP/3 on ${CONNECTIONS} new connections to every address`,
  run: (context, signal) =>
    tryAddresses({
      context,
      signal,
      addresses: context.udp,
      attempt: (address, limited) => connectOften(context, address, limited),
    }),
  fix: ({ target }) =>
    `Switch it on (NGINX: \`listen 443 quic reuseport\` and \`http3 on\`), and see what the TLS server says: ${tlsServerCommands(target).log}`,
};

async function connectOften(context: Context, address: string, signal: AbortSignal): Promise<string> {
  const tries = Array.from({ length: CONNECTIONS }, () => once(context, address, signal));
  const outcomes = await Promise.allSettled(tries);
  const good = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const [bad] = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  const [first] = good;
  if (first === undefined) throw bad;
  if (bad !== undefined) {
    const count = `only ${good.length} of ${CONNECTIONS} new connections worked`;
    const fix = context.target.machine ? http3.fix(context) : PARTLY_FIX;
    throw new CheckFailure(`${count}: ${explain(bad).got}`, fix);
  }
  const handshake = Math.round(Math.min(...good.map((one) => one.handshakeMs)));
  return `h3, status ${first.status}, ${good.length} of ${CONNECTIONS} connections, handshake ${handshake} ms`;
}

async function once(context: Context, address: string, signal: AbortSignal) {
  let handshakeMs = 0;
  const client = context.http3To(address, {
    connectTimeoutMs: context.limitMs * CONNECT_SHARE,
    onConnect: (info) => {
      handshakeMs = info.handshakeMs;
    },
  });
  try {
    const response = await client.fetch(`${context.target.origin}/`, { signal });
    await response.body?.cancel();
    assertServed(response.status, "HTTP/3");
    return { status: response.status, handshakeMs };
  } finally {
    await client.close();
  }
}
