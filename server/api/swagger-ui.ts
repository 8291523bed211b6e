import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";

/** Allows the page's own scripts and styles, images inside the styles, and requests to this server, and nothing else. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Finds the files of Swagger UI: beside `bin/node` in a release, else in the npm package.
 *
 * @returns undefined if there are none. /api/docs then shows the plain page.
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

/** Serves Swagger UI at /api/docs, for the document of this scope. A token that a user enters stays in the page's memory. */
export async function registerSwaggerUi(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: "/api/docs",
    baseDir: folder,
    staticCSP: POLICY,
    // The layout has no top bar and no logo. Without this, the plugin would read its logo from a folder that the bundle lacks.
    logo: { type: "image/svg+xml", content: "" },
    uiConfig: { layout: "BaseLayout", persistAuthorization: false, displayRequestDuration: true },
  });
}
