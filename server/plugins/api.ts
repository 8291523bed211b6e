import fp from "fastify-plugin";
import { type ApiOptions, registerApi } from "../api/tools-api.ts";
import { EVERY_REQUEST } from "./every-request.ts";

/** `/api`: the tools over plain HTTP, and their description. */
export const api = fp<{ endpoint: ApiOptions | undefined }>(
  async (app, { endpoint }) => {
    if (endpoint) await registerApi(app, endpoint);
  },
  { name: "api", dependencies: [...EVERY_REQUEST] },
);
