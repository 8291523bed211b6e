import { type Check, CheckFailure } from "../../check.ts";
import { assertServed } from "../http/http1.ts";
import { pingMcp } from "./unauthorized.ts";

/** Runs once before the MCP clients. Three of them with a wrong token would look like an attack. */
export const token: Check = {
  id: "token",
  title: "Token accepted",
  needs: ["tcp"],
  tried: ({ target }) => `POST ${target.origin}/mcp with the token`,
  async run(context, signal) {
    const { token: given, auth, origin } = context.target;
    if (given === undefined && auth === "none") return "none needed";
    if (given === undefined) {
      throw new CheckFailure("no token was given", `Give one: MCP_EDGE_TOKEN=... mcp-edge doctor ${origin}`);
    }
    const { status } = await pingMcp(context, given, signal);
    if (status === 401 || status === 403)
      throw new CheckFailure(`status ${status}: unknown, expired or revoked`);
    assertServed(status, "HTTP/1.1");
    if (status === 404)
      throw new CheckFailure(
        "status 404: there is no /mcp here",
        "Look at the address: is it the MCP server's?",
      );
    return "accepted";
  },
  fix: ({ target }) =>
    `Make a new one and try again: mcp-edge token create --name doctor; MCP_EDGE_TOKEN=... mcp-edge doctor ${target.origin}`,
};
