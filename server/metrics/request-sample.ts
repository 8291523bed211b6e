import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isTrustedHop } from "../http/peer.ts";
import type { TimedResponse } from "../http/timed-response.ts";
import { Known } from "./series.ts";

/** One request as the metrics count it. Every label has a small fixed set of values, so that clients cannot create time series. */
export interface RequestSample {
  route: string;
  method: string;
  status: number;
  /** "HTTP/1.1", "HTTP/2.0" or "HTTP/3.0": the version between the client and the edge. */
  http: string;
  /** The MCP revision that the request names, "other" for an unknown revision, "" for none. */
  protocol: string;
  /** Until the response was complete. */
  seconds: number;
  /** Until the response began; undefined for a client that left before. */
  firstByteSeconds: number | undefined;
  /** A stream of notifications, whose duration says nothing about the server. */
  longLived: boolean;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const HTTP_VERSIONS = new Set(["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"]);
/** The MCP revisions that this server speaks. */
export const REVISIONS: ReadonlySet<string> = new Set([...SUPPORTED_PROTOCOL_VERSIONS, "2026-07-28"]);

/** Routes that are remembered for each method: Fastify puts the options of a route together each time that they are asked for. */
const MAX_ROUTES = 1_000;
/** Longer URLs are not remembered, characters. */
const MAX_URL = 200;
const routes = new WeakMap<object, Known<Map<string, string>>>();

/** The path of the request's route. Requests with the same method and URL have the same one. */
function routeOf(request: FastifyRequest): string {
  const { server, method, url } = request;
  let methods = routes.get(server);
  if (!methods) {
    methods = new Known();
    routes.set(server, methods);
  }
  const known = methods.get(method, () => new Map());
  let route = known.get(url);
  if (route === undefined) {
    const { url: pattern } = request.routeOptions;
    route = pattern === undefined ? "none" : withoutSlash(pattern);
    if (known.size >= MAX_ROUTES) known.clear();
    if (url.length <= MAX_URL) known.set(url, route);
  }
  return route;
}

const withoutSlash = (url: string) => (url.length > 1 && url.endsWith("/") ? url.slice(0, -1) : url);

/** A request's labels and duration. Whatever a client sends, each label is one of a fixed set. */
export function requestSample(request: FastifyRequest, reply: FastifyReply): RequestSample {
  const { headers } = request;
  const revision = headers["mcp-protocol-version"];
  const { headAt, longLived } = reply.raw as Partial<TimedResponse>;
  const now = performance.now();
  const elapsedMs = reply.elapsedTime;
  return {
    route: routeOf(request),
    method: METHODS.has(request.method) ? request.method : "other",
    // The client left before the response had started.
    status: reply.raw.headersSent ? reply.raw.statusCode : 499,
    http: httpVersionOf(request),
    protocol: typeof revision !== "string" ? "" : REVISIONS.has(revision) ? revision : "other",
    seconds: elapsedMs / 1_000,
    firstByteSeconds: headAt === undefined ? undefined : Math.max(0, elapsedMs - (now - headAt)) / 1_000,
    longLived: longLived === true,
  };
}

/** "HTTP/1.1", "HTTP/2.0" or "HTTP/3.0": the version between the client and the edge. */
export function httpVersionOf({ raw, headers }: FastifyRequest): string {
  const edge = isTrustedHop(raw) ? headers["x-http-version"] : undefined;
  return typeof edge === "string" && HTTP_VERSIONS.has(edge) ? edge : `HTTP/${raw.httpVersion}`;
}
