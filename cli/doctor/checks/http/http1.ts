import { BUNDLED_SERVER, slotUnits } from "../../../../cloud-init/app.ts";
import { tlsServerCommands } from "../../advice.ts";
import { type Check, CheckFailure } from "../../check.ts";
import { askHttps } from "../../clients/http1.ts";

export const http1: Check = {
  id: "http1",
  title: "HTTP/1.1",
  needs: ["tcp"],
  tried: ({ target }) => `GET ${target.origin}/ over HTTP/1.1 (only ALPN http/1.1 offered)`,
  async run(context, signal) {
    const answer = await askHttps(context, { path: "/" }, signal);
    if (answer.httpVersion !== "1.1") throw new CheckFailure(`the answer is HTTP/${answer.httpVersion}`);
    assertServed(answer.status, "HTTP/1.1");
    // Servers may select no protocol. A client that offers only http/1.1 then uses it (RFC 7301 section 3.2).
    return `${answer.alpn || "http/1.1 (no ALPN)"}, status ${answer.status}`;
  },
  fix: ({ target }) => `See what the TLS server says: ${tlsServerCommands(target).log}`,
};

/** @throws CheckFailure if the edge supports the protocol but the server behind it does not answer */
export function assertServed(status: number, protocol: string): void {
  if (status < 500) return;
  throw new CheckFailure(
    `${protocol} works, but the answer is ${status}`,
    `See why the server behind the edge does not answer: systemctl status '${slotUnits(BUNDLED_SERVER)}'; journalctl -u '${slotUnits(BUNDLED_SERVER)}' -n 50`,
  );
}

export const http2: Check = {
  id: "http2",
  title: "HTTP/2",
  needs: ["tcp"],
  tried: ({ target }) => `GET ${target.origin}/ over HTTP/2 (ALPN h2 and http/1.1 offered)`,
  async run(context, signal) {
    const response = await context.http2().fetch(`${context.target.origin}/`, { signal });
    await response.body?.cancel();
    assertServed(response.status, "HTTP/2");
    return `h2, status ${response.status}`;
  },
  fix: ({ target }) =>
    `Switch it on (NGINX: \`http2 on;\` in the server block), and see what the TLS server says: ${tlsServerCommands(target).log}`,
};
