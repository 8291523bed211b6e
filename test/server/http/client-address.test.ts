import { expect, test } from "@jest/globals";
import fc from "fast-check";
import Fastify from "fastify";
import { clientAddress } from "../../../server/http/client-address.ts";
import { isLoopbackAddress } from "../../../server/http/peer.ts";

test("the client's address is the one that Fastify finds", async () => {
  const app = Fastify({
    trustProxy: (address: string | undefined) => address !== undefined && isLoopbackAddress(address),
  });
  app.get("/", (request, reply) => reply.send([clientAddress(request), request.ip]));
  const address = fc.constantFrom(
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "203.0.113.7",
    "2001:db8::1",
    "",
    "x",
  );
  const forwarded = fc.array(address, { minLength: 1, maxLength: 3 }).map((hops) => ` ${hops.join(" , ")} `);
  await fc.assert(
    fc.asyncProperty(address.filter(Boolean), fc.option(forwarded), async (remoteAddress, header) => {
      const headers = header === null ? {} : { "x-forwarded-for": header };
      const [own, expected] = (await app.inject({ url: "/", remoteAddress, headers })).json();
      expect(own).toBe(expected);
    }),
  );
  await app.close();
});
