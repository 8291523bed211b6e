import { lookup } from "node:dns/promises";
import { tlsServerCommands } from "../../advice.ts";
import { type Check, CheckFailure } from "../../check.ts";
import { type Answer, type Ask, askHttps } from "../../clients/http1.ts";
import type { Context } from "../../context.ts";

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const METADATA = [
  "/.well-known/oauth-protected-resource",
  "/.well-known/oauth-protected-resource/mcp",
  "/.well-known/oauth-authorization-server",
  "/.well-known/openid-configuration",
];

/**
 * The second host name of a machine, for clients that ignore their token wherever they find OAuth (setting `tokenDomain`): nothing on
 * it may lead such a client to the sign-in.
 */
export const tokenDomainCheck = (tokenDomain: string): Check => ({
  id: "token-domain",
  title: "Token domain",
  needs: ["tcp"],
  tried: () => `POST https://${tokenDomain}/mcp, and the metadata of OAuth there`,
  async run(context, signal) {
    const ask = (request: Ask) => askThere(context, tokenDomain, request, signal);
    for (const path of METADATA) {
      const { status } = await ask({ path });
      if (status !== 404) throw new CheckFailure(`${path} answers ${status} instead of 404`);
    }
    const { token } = context.target;
    const { status, headers } = await ask(ping());
    const challenge = String(headers["www-authenticate"] ?? "");
    if (status !== 401) throw new CheckFailure(`status ${status} instead of 401 without a token`);
    if (/resource_metadata/i.test(challenge))
      throw new CheckFailure("401, but the challenge names resource_metadata, which leads to the sign-in");
    if (token === undefined) return "shows no sign-in";
    const accepted = await ask(ping(token));
    if (accepted.status !== 200) throw new CheckFailure(`status ${accepted.status} with the token`);
    return "shows no sign-in, and accepts the token";
  },
  fix: ({ target }) =>
    `Its records must lead to this machine (setting tokenDomain), and the certificate must have its name: ${tlsServerCommands(target).certificate}`,
});

const ping = (token?: string): Ask => ({
  path: "/mcp",
  method: "POST",
  headers: {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  },
  body: PING,
});

/** The same machine under its other name. @throws CheckFailure where that name leads nowhere */
async function askThere(context: Context, host: string, ask: Ask, signal: AbortSignal): Promise<Answer> {
  const { target, secureContext, limitMs } = context;
  const origin = `https://${host}${target.port === 443 ? "" : `:${target.port}`}`;
  const tcpAddress = target.connect ?? (await addressOf(host, target.host));
  const there = { target: { ...target, origin, host }, servername: host, tcpAddress, secureContext, limitMs };
  return askHttps(there, ask, signal);
}

async function addressOf(host: string, domain: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new CheckFailure(
      `DNS has no address of ${host} (${(error as NodeJS.ErrnoException).code})`,
      `Create its A and AAAA records, with the addresses of ${domain}`,
    );
  }
}
