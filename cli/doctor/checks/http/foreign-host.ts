import { type Check, CheckFailure } from "../../check.ts";
import { askHttps } from "../../clients/http1.ts";
import type { Context } from "../../context.ts";

/** A reserved name that no host has (RFC 2606, section 2). */
const FOREIGN = "foreign.invalid";

/**
 * A request may name another host than the handshake (RFC 9110, section 7.4). If it were served, it would reach the default server
 * without the limits of the host.
 */
export const foreignHost: Check = {
  id: "foreign-host",
  title: "Foreign Host refused",
  needs: ["http3", "http2", "http1"],
  tried: ({ target }) =>
    `GET / with the host ${FOREIGN} on connections to ${target.host}, over each HTTP version`,
  async run(context, signal) {
    const statuses = await Promise.all([
      overHttp3(context, signal),
      overHttp2(context, signal),
      overHttp1(context, signal),
    ]);
    for (const { protocol, status } of statuses)
      if (status < 400 || status >= 500)
        throw new CheckFailure(`${protocol} answers ${status} to a request for another host`);
    return statuses.map(({ protocol, status }) => `${protocol} ${status}`).join(", ");
  },
  fix: () =>
    "Give the default server of port 443 an answer of its own beside ssl_reject_handshake: location / { return 421; } " +
    "(on a machine of this project: npm run up deploys its configuration again)",
};

const headers = { host: FOREIGN };

async function overHttp3(context: Context, signal: AbortSignal) {
  const response = await context.http3().fetch(`${context.target.origin}/`, { headers, signal });
  await response.body?.cancel();
  return { protocol: "HTTP/3", status: response.status };
}

async function overHttp2(context: Context, signal: AbortSignal) {
  const response = await context.http2().fetch(`${context.target.origin}/`, { headers, signal });
  await response.body?.cancel();
  return { protocol: "HTTP/2", status: response.status };
}

async function overHttp1(context: Context, signal: AbortSignal) {
  const { status } = await askHttps(context, { path: "/", headers }, signal);
  return { protocol: "HTTP/1.1", status };
}
