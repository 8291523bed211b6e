import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type AuthenticatorFor, guard, requireScope } from "../auth/guard.ts";
import type { Principal } from "../auth/principal.ts";
import type { Capabilities } from "../capabilities/registry.ts";
import type { Grants } from "../grants/grants.ts";
import { Refusal } from "../http/errors.ts";
import { goneSignal } from "../http/gone.ts";
import { type AllowedNames, requireAllowedHost } from "../http/hosts.ts";
import { requireAllowedOrigin } from "../http/origins.ts";
import { jsonText } from "../json/text.ts";
import { LimitReached } from "../shares/limit-reached.ts";
import { ToolError } from "../tool-error.ts";
import { wireSchemas } from "../tools/arguments/wire-schema.ts";
import type { Tool, ToolContext } from "../tools/tool.ts";
import { docsPage } from "./docs-page.ts";
import { registerIndexUpload } from "./index-upload.ts";
import { describeTool } from "./json-schema.ts";
import { LIST_SCHEMA, registerOpenApi, toolRouteSchema } from "./openapi.ts";
import { findSwaggerUi, registerSwaggerUi } from "./swagger-ui.ts";

export interface ApiOptions {
  readonly tools: readonly Tool[];
  /** Who may see what. */
  readonly grants: Grants;
  readonly context: Omit<ToolContext, "signal">;
  readonly capabilities: Capabilities;
  readonly authenticator: AuthenticatorFor;
  readonly needsToken: boolean;
  readonly names: AllowedNames;
  /** The origin that the client of a request uses. */
  originOf(request: FastifyRequest): string;
}

/** A missing capability may be available soon: an index is built in a minute. */
const RETRY_AFTER_S = 30;

/** `/api`: the tools over plain HTTP, with the tokens, scopes and limits of /mcp. The descriptions at /api and /api/docs are public. */
export async function registerApi(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const described = options.tools.map((tool) => ({ tool, description: describeTool(tool) }));
  await app.register(async (api) => {
    api.addHook("onRequest", requireAllowedHost(options.names.hosts));
    api.addHook("onRequest", requireAllowedOrigin(options.names.origins));
    // As in MCP, the tool's own schema validates the arguments. The schemas of the routes are only for the document.
    api.setValidatorCompiler(() => () => true);
    // An answer is JSON already: the audit log has counted its bytes.
    api.setSerializerCompiler(() => jsonText);
    await registerOpenApi(api, options.needsToken);

    api.get("/api/openapi.json", { schema: { hide: true } }, async (_request, reply) =>
      reply.header("cache-control", "no-cache").send(api.swagger()),
    );
    const docs = async (request: FastifyRequest, reply: FastifyReply) => {
      const { headers, body } = docsPage({
        origin: options.originOf(request),
        needsToken: options.needsToken,
        tools: described.map((d) => d.description),
      });
      return reply.headers(headers).send(body);
    };
    const swaggerUi = findSwaggerUi();
    if (swaggerUi) await registerSwaggerUi(api, swaggerUi);
    for (const url of ["/api", ...(swaggerUi ? [] : ["/api/docs"])])
      api.get(url, { schema: { hide: true } }, docs);

    const accessOf = ({ principal }: FastifyRequest) => options.grants.access(principal ?? NOBODY);
    await api.register(async (guarded) => {
      guarded.addHook("onRequest", guard(options.authenticator));
      await registerIndexUpload(guarded, { context: options.context, accessOf });
      guarded.get("/api/tools", { schema: LIST_SCHEMA }, async (request) => ({
        tools: described
          .filter(({ tool }) => accessOf(request).allows(tool) && options.capabilities.allow(tool))
          .map(({ description }) => description),
      }));
      for (const { tool, description } of described)
        guarded.post(
          `/api/tools/${tool.name}`,
          { schema: toolRouteSchema(description) },
          async (request, reply) => {
            const access = accessOf(request);
            if (!access.grants(tool)) throw noSuchTool();
            requireScope(request, reply, tool.scope);
            const missing = options.capabilities.missing(tool).map((c) => c.name);
            if (missing.length > 0)
              throw new Refusal(
                503,
                `${tool.name} needs ${missing.join(", ")}, which is not available now`,
                RETRY_AFTER_S,
              );
            const workspace = access.workspace(tool, options.context.workspace);
            return callTool(tool, { ...options.context, workspace }, request, reply);
          },
        );
      guarded.all<{ Params: { name: string } }>(
        "/api/tools/:name",
        { schema: { hide: true } },
        async (request, reply) => {
          const tool = options.tools.find(({ name }) => name === request.params.name);
          if (!tool || !accessOf(request).grants(tool)) throw noSuchTool();
          reply.header("allow", "POST");
          throw new Refusal(405, "Call a tool by POST");
        },
      );
    });
  });
}

/** A request that passed no guard; there is none. */
const NOBODY: Principal = { id: "", name: "", scopes: [] };

/** Also for a tool that is not granted: its name must not show that it exists. */
const noSuchTool = () => new Refusal(404, "There is no such tool; see GET /api/tools");

const describeProblem = ({ path, message }: { path?: readonly unknown[] | undefined; message: string }) =>
  `${path?.length ? `${path.map(String).join(".")}: ` : ""}${message}`;

async function callTool(
  tool: Tool,
  context: ApiOptions["context"],
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const args = await wireSchemas(tool).input["~standard"].validate(request.body ?? {});
  if (args.issues) {
    const problems = args.issues.filter(({ path }) => path !== undefined);
    return reply.code(400).send({
      error: `Invalid arguments for tool ${tool.name}: ${problems.map(describeProblem).join(", ")}. ${args.issues.at(-1)?.message}. See /api#${tool.name}`,
      request_id: request.id,
      problems: problems.map(({ path, message }) => ({ path: path?.map(String).join("."), message })),
    });
  }
  const signal = goneSignal(reply);
  try {
    return await tool.run(args.value, { ...context, signal });
  } catch (error) {
    if (error instanceof LimitReached) throw error;
    if (error instanceof ToolError) throw new Refusal(422, error.message);
    if (signal.aborted) throw new Refusal(499, "The client closed the request");
    throw error;
  }
}
