import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { LARGE } from "./large.ts";
import { reportMemory } from "./memory.ts";

/**
 * The ceiling: `node:http` that parses the request's JSON and answers, and does nothing else. Reports its port. `echo` and `both` answer the
 * same bytes as our server; `large` answers 40 KB that are ready to be sent, once instead of as text and as structure.
 */
const large = Buffer.from(JSON.stringify({ text: LARGE }));
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
    if (params.name === "large") {
      response.end(large);
      return;
    }
    const text = params.name === "both" ? LARGE : params.arguments.text;
    const structuredContent = { text };
    const content = [{ type: "text", text: JSON.stringify(structuredContent) }];
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { content, structuredContent } }));
  });
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
reportMemory();
