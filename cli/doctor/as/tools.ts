import { CheckFailure } from "../check.ts";
import { initialize } from "./challenge.ts";
import { jsonOf, preview, type Reply } from "./http.ts";
import { assertCors } from "./metadata.ts";
import type { Step } from "./step.ts";

interface Rpc {
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

/** The JSON-RPC response in a body: JSON, or the last event of a stream (Streamable HTTP). */
function rpcOf(reply: Reply): Rpc {
  if (reply.status !== 200) throw new CheckFailure(`status ${reply.status}: ${preview(reply.body)}`);
  if (!/^text\/event-stream/.test(reply.headers["content-type"] ?? "")) return jsonOf(reply) as Rpc;
  const data = [...reply.body.matchAll(/^data: ?(.+)$/gm)].map(([, text]) => text ?? "");
  for (const text of data.reverse()) {
    try {
      const message = JSON.parse(text) as Rpc & { id?: unknown };
      if (message.id !== undefined && (message.result || message.error)) return message;
    } catch {
      // An event that is no message, such as a priming event.
    }
  }
  throw new CheckFailure("the stream ended without a response");
}

function resultOf(reply: Reply, method: string): Record<string, unknown> {
  const { result, error } = rpcOf(reply);
  if (result) return result;
  throw new CheckFailure(`${method} answers error ${error?.code}: ${error?.message}`);
}

/** The token is good for a session, `tools/list` and one tool that only reads. */
export const tools: Step = {
  id: "tools",
  title: "Tool call",
  needs: ["token"],
  tried: (attempt) => `initialize, tools/list and tools/call at ${attempt.endpoint} with the access token`,
  async run(attempt, signal) {
    const { access } = attempt.tokens;
    const opened = await initialize(attempt, attempt.endpoint, signal, access);
    if (opened.status === 401 || opened.status === 403) {
      throw new CheckFailure(
        `status ${opened.status} with the new token: ${opened.headers["www-authenticate"] ?? preview(opened.body)}`,
        "Compare issuer, audience and keys of the authorization server with those that the endpoint checks",
      );
    }
    assertCors(attempt, opened);
    const version = String(resultOf(opened, "initialize").protocolVersion);
    const session = opened.headers["mcp-session-id"];
    let id = 0;
    const call = async (
      method: string,
      params: Record<string, unknown>,
    ): Promise<Record<string, unknown>> => {
      const headers = {
        authorization: `Bearer ${access}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": version,
        ...(session === undefined ? {} : { "mcp-session-id": String(session) }),
      };
      const body = JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params });
      return resultOf(
        await attempt.send(attempt.endpoint, { method: "POST", headers, body }, signal),
        method,
      );
    };
    const list = (await call("tools/list", {})).tools as Tool[];
    const tool =
      list.find(({ name }) => name === "list_repos") ??
      list.find((one) => one.annotations?.readOnlyHint && !one.inputSchema.required?.length);
    if (tool === undefined) return `${version}, ${list.length} tools, none that needs no argument`;
    const answer = await call("tools/call", { name: tool.name, arguments: {} });
    if (answer.isError === true)
      throw new CheckFailure(
        `${tool.name} answers an error: ${JSON.stringify(answer.content).slice(0, 120)}`,
      );
    return `${version}, ${list.length} tools, ${tool.name} answered`;
  },
  fix: "See what the server says about the call: mcp-edge logs",
};

interface Tool {
  name: string;
  inputSchema: { required?: string[] };
  annotations?: { readOnlyHint?: boolean };
}
