import type { FastifyInstance } from "fastify";
import { noSignIn } from "../http/no-sign-in.ts";
import type { AuthEvents } from "./events.ts";
import { protectedResourceMetadata, RESOURCE_METADATA_PATHS } from "./oauth/metadata.ts";
import { originOf } from "./origin.ts";

export interface ResourceMetadataOptions {
  readonly resource: string;
  /** The authorization server: this server itself, or the issuer of `AUTH_MODE=jwt`. */
  readonly issuer: string;
  readonly events: AuthEvents;
  readonly tokenDomain?: string | undefined;
}

/** Protected-resource metadata (RFC 9728) at the places where clients look. It is public: pages of every origin may read it. */
export function registerResourceMetadata(app: FastifyInstance, options: ResourceMetadataOptions): void {
  const document = protectedResourceMetadata(options.resource, options.issuer);
  for (const path of RESOURCE_METADATA_PATHS)
    app.get(path, { exposeHeadRoute: false }, async (request, reply) => {
      if (request.hostname === options.tokenDomain) return reply.code(404).send(noSignIn(true));
      options.events.emit({ type: "metadata.read", document: "protected-resource" }, originOf(request));
      return reply
        .header("access-control-allow-origin", "*")
        .header("cache-control", "public, max-age=300")
        .send(document);
    });
}
