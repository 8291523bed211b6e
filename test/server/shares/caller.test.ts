import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "@jest/globals";
import { currentCaller, enterCaller, SERVER } from "../../../server/shares/caller.ts";

test("a caller's request says nothing of the next one on the same connection", async () => {
  const principal = { id: "token", name: "token", scopes: [] };
  const callers: string[] = [];
  const server = createServer((request, response) => {
    callers.push(currentCaller());
    if (request.url === "/enter") enterCaller({ principal, requestId: "r", traceId: "t" });
    setImmediate(() => {
      callers.push(currentCaller());
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const lines = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  socket.end(lines("/enter") + lines("/next") + lines("/last", "Connection: close\r\n"));
  expect(await text(socket)).toMatch(/200 OK/);
  expect(callers).toEqual([SERVER, SERVER, SERVER, "token", SERVER, SERVER]);
  server.close();
});
