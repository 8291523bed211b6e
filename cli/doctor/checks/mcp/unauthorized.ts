import { type Check, CheckFailure } from "../../check.ts";
import { type Answer, askHttps } from "../../clients/http1.ts";
import type { Context } from "../../context.ts";
import { assertServed } from "../http/http1.ts";

/** A request that every MCP server of the 2025 era accepts and that changes nothing. */
const PING = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });

/** POSTs a ping to /mcp, with or without a token. */
export function pingMcp(context: Context, token: string | undefined, signal: AbortSignal): Promise<Answer> {
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return askHttps(context, { path: "/mcp", method: "POST", headers, body: PING }, signal);
}

export const unauthorized: Check = {
  id: "unauthorized",
  title: "401 without a token",
  needs: ["tcp"],
  tried: ({ target }) => `POST ${target.origin}/mcp without a token`,
  async run(context, signal) {
    const { status, headers } = await pingMcp(context, undefined, signal);
    assertServed(status, "HTTP/1.1");
    const { auth } = context.target;
    if (auth === "none") {
      if (status === 401) throw new CheckFailure("401, although the setting auth is none");
      return `status ${status}: open to everybody, as the setting auth says`;
    }
    if (status !== 401) {
      throw new CheckFailure(
        status < 300 ? `status ${status}: everybody may call the tools` : `status ${status} instead of 401`,
      );
    }
    const challenge = headers["www-authenticate"];
    if (challenge === undefined || !/^Bearer\b/i.test(challenge)) {
      throw new CheckFailure(
        `401 with ${challenge === undefined ? "no WWW-Authenticate" : `WWW-Authenticate: ${challenge}`}`,
      );
    }
    const advertised = /resource_metadata/i.test(challenge);
    if ((auth === "oauth" || auth === "jwt") && !advertised) {
      throw new CheckFailure(
        "401, but the challenge names no resource_metadata, so Claude.ai and ChatGPT cannot find the sign-in",
        `AUTH_MODE in /etc/mcp-edge/server.env should be ${auth} (setting auth: ${auth}). Deploy it: npm run up`,
      );
    }
    // Clients that see it look for OAuth and then ignore the token their user gave them.
    if (auth === "token" && advertised) {
      throw new CheckFailure(
        "401, but the challenge names resource_metadata, so clients would ignore a static token",
      );
    }
    return `401, WWW-Authenticate: ${challenge}`;
  },
  fix: () =>
    "AUTH_MODE in /etc/mcp-edge/server.env should be what the setting auth says (oauth by default). Deploy it: npm run up",
};
