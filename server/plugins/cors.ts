import fastifyCors from "@fastify/cors";
import fp from "fastify-plugin";
import type { Origins } from "../http/origins.ts";

/** What a page's script may read of an answer, beside the safelisted headers. */
const EXPOSED = [
  "Mcp-Session-Id",
  "Mcp-Protocol-Version",
  "WWW-Authenticate",
  "Retry-After",
  "X-Request-Id",
  "Traceresponse",
];

/**
 * Lets pages of the allowed origins call (https://fetch.spec.whatwg.org/#http-cors-protocol); the rule is the one by which /mcp refuses
 * the others (403). No credentials: a page sends its token in `Authorization`, and no cookie means anything here.
 * The headers that a preflight asks for are allowed as asked, since MCP 2026-07-28 makes up names (`Mcp-Param-*`).
 */
export const cors = fp<{ origins: Origins }>(
  async (app, { origins }) => {
    await app.register(fastifyCors, {
      origin: (origin, decide) => decide(null, origin && origins.allows(origin) ? origin : false),
      methods: ["GET", "POST", "DELETE"],
      exposedHeaders: EXPOSED,
      strictPreflight: false,
      // Browsers keep a preflight's answer at most two hours (Chromium).
      maxAge: 7_200,
    });
  },
  { name: "cors", dependencies: ["request-context"] },
);
