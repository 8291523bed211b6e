import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";
import type { Origins } from "./origins.ts";

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
export async function registerCors(app: FastifyInstance, origins: Origins): Promise<void> {
  await app.register(cors, {
    origin: (origin, decide) => decide(null, origin && origins.allows(origin) ? origin : false),
    methods: ["GET", "POST", "DELETE"],
    exposedHeaders: EXPOSED,
    strictPreflight: false,
    // Browsers keep a preflight's answer at most two hours (Chromium).
    maxAge: 7_200,
  });
}
