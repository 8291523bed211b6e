import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isTrustedHop } from "../http/peer.ts";
import type { RequestSample } from "./metrics.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const HTTP_VERSIONS = new Set(["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"]);
const REVISIONS = new Set([...SUPPORTED_PROTOCOL_VERSIONS, "2026-07-28"]);

/** A request's labels and duration. Whatever a client sends, each label is one of a fixed set. */
export function requestSample(request: FastifyRequest, reply: FastifyReply): RequestSample {
  const { raw, routeOptions, headers } = request;
  const edge = isTrustedHop(raw) ? headers["x-http-version"] : undefined;
  const http = typeof edge === "string" && HTTP_VERSIONS.has(edge) ? edge : `HTTP/${raw.httpVersion}`;
  const revision = headers["mcp-protocol-version"];
  return {
    route: routeOptions.url?.replace(/(.)\/$/, "$1") ?? "none",
    method: METHODS.has(request.method) ? request.method : "other",
    // The client left before the response had started.
    status: reply.raw.headersSent ? reply.raw.statusCode : 499,
    http,
    protocol: typeof revision !== "string" ? "" : REVISIONS.has(revision) ? revision : "other",
    seconds: reply.elapsedTime / 1_000,
  };
}
