import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import * as z from "zod";
import { requireScope } from "../auth/guard.ts";
import type { Access } from "../grants/grants.ts";
import { Refusal } from "../http/errors.ts";
import { goneSignal } from "../http/gone.ts";
import { ToolError } from "../tool-error.ts";
import type { ToolContext } from "../tools/tool.ts";
import { resolveRevision } from "../workspace/revisions.ts";

const SCOPE = "index:write";
const Query = z.object({ repo: z.string().min(1).max(255).optional(), commit: z.string().min(4).max(250) });

/**
 * `PUT /api/index?repo=R&commit=C`, a SCIP file as `application/octet-stream`: adds a precise index, made by any indexer, in CI or by hand.
 * Its paths must be those of the commit. Responds with the number of documents and names.
 */
export async function registerIndexUpload(
  app: FastifyInstance,
  options: { context: Omit<ToolContext, "signal">; accessOf: (request: FastifyRequest) => Access },
): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The body is a stream: it has a limit of its own.
    scope.addContentTypeParser("*", (_request: FastifyRequest, body: IncomingMessage, done) =>
      done(null, body),
    );
    scope.put("/api/index", { schema: { hide: true } }, async (request, reply) => {
      requireScope(request, reply, SCOPE);
      const query = Query.safeParse(request.query);
      if (!query.success)
        throw new Refusal(400, "Name the repository and the commit: PUT /api/index?repo=NAME&commit=HASH");
      const workspace = options
        .accessOf(request)
        .workspace({ name: "index", scope: SCOPE }, options.context.workspace);
      const signal = goneSignal(reply);
      try {
        const repo = await workspace.find(query.data.repo);
        const commit = await resolveRevision(repo, query.data.commit, signal);
        const stream = request.body as AsyncIterable<Buffer>;
        const imported = await options.context.index.receiveScip(repo, { stream, commit }, signal);
        return { repo: repo.name, commit, ...imported };
      } catch (error) {
        if (error instanceof ToolError) throw new Refusal(422, error.message);
        throw error;
      }
    });
  });
}
