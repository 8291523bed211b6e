import fp from "fastify-plugin";

/** On every answer; pages add a policy of their own (see pages/layout.ts). */
export const securityHeaders = fp(
  async (app) => {
    app.addHook("onRequest", (_request, reply, done) => {
      reply.header("x-content-type-options", "nosniff").header("referrer-policy", "no-referrer");
      done();
    });
  },
  { name: "security-headers" },
);
