import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { expect, test } from "@jest/globals";
import { freePort, isFree } from "./free-port.ts";

test("a free port is never one of a client, and never given twice", async () => {
  const [first = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split("\t").map(Number);
  const ports = await Promise.all(Array.from({ length: 200 }, freePort));
  expect(new Set(ports).size).toBe(200);
  for (const port of ports) expect(port).toBeLessThan(first);
});

test.each([
  ["TCP", (port: number) => createServer().listen(port, "127.0.0.1")],
  ["UDP", (port: number) => createSocket("udp4").bind(port, "127.0.0.1")],
])("a port that is used by %s is not free", async (_protocol, take) => {
  const port = await freePort();
  const socket = take(port);
  await once(socket, "listening");
  expect(await isFree(port)).toBe(false);
  socket.close();
  await once(socket, "close");
  expect(await isFree(port)).toBe(true);
});
