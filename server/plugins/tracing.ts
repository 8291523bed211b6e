import fp from "fastify-plugin";
import type { Tracing } from "../tracing/tracing.ts";

/** A span for each request, where tracing is on. */
export const tracing = fp<{ tracing: Tracing | undefined }>(
  async (app, { tracing }) => tracing?.register(app),
  { name: "tracing", dependencies: ["request-context"] },
);
