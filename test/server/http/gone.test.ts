import { once } from "node:events";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import Fastify, { type FastifyInstance } from "fastify";
import { goneSignal } from "../../../server/http/gone.ts";

let app: FastifyInstance;
afterEach(() => app.close());

/** A server whose handler tells what its signal says, and a request to it. `authenticate` takes as long as it likes. */
async function start(
  authenticate: () => Promise<unknown>,
  handle: (signal: AbortSignal) => Promise<unknown>,
) {
  app = Fastify({ forceCloseConnections: true });
  app.addHook("onRequest", async (_request, reply) => {
    const closed = once(reply.raw, "close");
    await Promise.race([authenticate(), closed]);
  });
  app.get("/", async (_request, reply) => handle(goneSignal(reply)));
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const client = request({ host: "127.0.0.1", port });
  client.on("error", () => undefined).end();
  return client;
}

test("a client that disconnects during authentication is gone when the work starts", async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const entered = Promise.withResolvers<void>();
  const client = await start(
    () => {
      entered.resolve();
      return new Promise(() => undefined);
    },
    async (signal) => resolve(signal.aborted),
  );
  await entered.promise;
  client.destroy();
  expect(await promise).toBe(true);
});

test("a client that disconnects during the work aborts it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = await start(
    async () => undefined,
    async (signal) => {
      expect(signal.aborted).toBe(false);
      signal.addEventListener("abort", () => resolve());
      client.destroy();
      await promise;
    },
  );
  await promise;
});

test("the signal is not aborted once the client has its response", async () => {
  let signal: AbortSignal | undefined;
  const client = await start(
    async () => undefined,
    async (given) => {
      signal = given;
      return "done";
    },
  );
  const [response] = await once(client, "response");
  response.resume();
  await once(response, "close");
  expect(signal?.aborted).toBe(false);
});
