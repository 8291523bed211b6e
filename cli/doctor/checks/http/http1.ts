import { type Check, CheckFailure } from "../../check.ts";
import { askHttps } from "../../clients/http1.ts";
import { assertServed } from "../served.ts";

export const http1: Check = {
  id: "http1",
  title: "HTTP/1.1",
  needs: ["tcp"],
  tried: ({ target }) => `GET ${target.origin}/ over HTTP/1.1 (only ALPN http/1.1 offered)`,
  async run(context, signal) {
    const answer = await askHttps(context, { path: "/" }, signal);
    if (answer.httpVersion !== "1.1") throw new CheckFailure(`the answer is HTTP/${answer.httpVersion}`);
    assertServed(answer.status, "HTTP/1.1");
    // Servers may choose nothing: a client that offers only http/1.1 goes on with it (RFC 7301 section 3.2).
    return `${answer.alpn || "http/1.1 (no ALPN)"}, status ${answer.status}`;
  },
  fix: () => "See what NGINX says: nginx -t; journalctl -u nginx -n 50",
};
