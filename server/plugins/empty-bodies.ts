import fp from "fastify-plugin";
import { acceptEmptyBodies } from "../http/empty-body.ts";

/** A request without a body is never a parse error, whatever its method and Content-Type. */
export const emptyBodies = fp(async (app) => acceptEmptyBodies(app), {
  name: "empty-bodies",
  dependencies: ["error-handler"],
});
