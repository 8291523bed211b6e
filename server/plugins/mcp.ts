import fp from "fastify-plugin";
import { type EndpointOptions, type Mcp, registerMcp } from "../mcp/endpoint.ts";
import { EVERY_REQUEST } from "./every-request.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** The MCP endpoint; undefined where it is not served. */
    mcp: Mcp | undefined;
  }
}

/** `/mcp`. */
export const mcp = fp<{ endpoint: EndpointOptions | undefined }>(
  async (app, { endpoint }) => {
    app.decorate("mcp", endpoint && (await registerMcp(app, endpoint)));
  },
  { name: "mcp", dependencies: [...EVERY_REQUEST] },
);
