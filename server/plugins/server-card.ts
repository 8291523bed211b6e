import type { FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { requireAllowedHost } from "../http/hosts.ts";
import {
  aiCatalog,
  CARD_PATH,
  CARD_TYPE,
  CATALOG_PATH,
  CATALOG_TYPE,
  serverCard,
} from "../mcp/server-card.ts";
import { EVERY_REQUEST } from "./every-request.ts";

export interface ServerCardOptions {
  readonly hosts: string[];
  /** Whether every client needs a pasted token. */
  readonly token: boolean;
  originOf(request: FastifyRequest): string;
}

/** What finds MCP servers by their host. Public and the same for everybody, so every origin may read it. */
export const serverCards = fp<ServerCardOptions>(
  async (app, { hosts, token, originOf }) => {
    const documents = [
      { path: CARD_PATH, type: CARD_TYPE, of: (origin: string) => serverCard(origin, token) },
      { path: CATALOG_PATH, type: CATALOG_TYPE, of: aiCatalog },
    ];
    for (const { path, type, of } of documents)
      app.get(path, { onRequest: requireAllowedHost(hosts) }, async (request, reply) =>
        // As bytes: to a text Fastify would add a charset, which these types do not have.
        reply
          .header("content-type", type)
          .header("access-control-allow-origin", "*")
          .header("cache-control", "public, max-age=3600")
          .send(Buffer.from(JSON.stringify(of(originOf(request))))),
      );
  },
  { name: "server-card", dependencies: [...EVERY_REQUEST] },
);
