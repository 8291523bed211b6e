import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";

/** Its own scripts and styles, pictures inside the styles, and requests to this server; nothing from or to anywhere else. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The folder of the files of Swagger UI: beside `bin/node` in a release, else in the npm package.
 *
 * @returns undefined when neither is there: then there is no such page, and the plain one does
 */
export function findSwaggerUi(execPath = process.execPath, from = import.meta.url): string | undefined {
  const released = join(dirname(execPath), "..", "swagger-ui");
  if (existsSync(join(released, "swagger-ui-bundle.js"))) return released;
  try {
    return join(dirname(createRequire(from).resolve("@fastify/swagger-ui/package.json")), "static");
  } catch {
    return undefined;
  }
}

/** Swagger UI at /api/docs, for the document of the same scope. It keeps a token that is typed into it in the page's memory only. */
export async function registerSwaggerUi(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: "/api/docs",
    baseDir: folder,
    staticCSP: POLICY,
    // The layout without the bar on top, so without a logo; the plugin would read its own from a folder that a bundle has not.
    logo: { type: "image/svg+xml", content: "" },
    uiConfig: { layout: "BaseLayout", persistAuthorization: false, displayRequestDuration: true },
  });
}
