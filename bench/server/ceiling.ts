import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { HUGE, LARGE } from "./large.ts";
import { reportMemory } from "./memory.ts";

/**
 * The ceiling: `node:http` that parses the request's JSON and answers, and does nothing else. Reports its port. The answers have the same bytes as
 * those of our server. `large` and `huge` are ready to be sent, `huge-made` is made for each request.
 */
const READY: Readonly<Record<string, Buffer>> = {
  large: Buffer.from(answer(0, LARGE)),
  huge: Buffer.from(answer(0, HUGE)),
};
const server = createServer((request, response) => {
  if (request.url === "/quiet") {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
    return;
  }
  let body = "";
  request.setEncoding("utf8").on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => {
    const { id, params } = JSON.parse(body);
    response.setHeader("content-type", "application/json");
    response.end(
      READY[params.name] ?? answer(id, params.name === "huge-made" ? HUGE : params.arguments.text),
    );
  });
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
reportMemory();

function answer(id: unknown, text: string): string {
  const structuredContent = { text };
  const content = [{ type: "text", text: JSON.stringify(structuredContent) }];
  return JSON.stringify({ jsonrpc: "2.0", id, result: { content, structuredContent } });
}
