import type { Principal } from "../auth/principal.ts";
import type { HttpExchange } from "./http-exchange.ts";

/** A request to the MCP endpoint, of either era. */
export interface McpRequest {
  readonly http: HttpExchange;
  /** The parsed body: one message or a batch; undefined without a body. */
  readonly body: unknown;
  readonly principal: Principal;
}
