import type { Check } from "../../check.ts";
import { assertServed } from "../served.ts";

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
  fix: () =>
    "Switch it on (`http2 on;` in the server block) and see what NGINX says: nginx -T | grep -n http2; journalctl -u nginx -n 50",
};
