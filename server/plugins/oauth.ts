import fp from "fastify-plugin";
import type { Auth } from "../auth/open-auth.ts";
import { EVERY_REQUEST } from "./every-request.ts";

/** The authorization server and the metadata of the protected resource, as far as the authentication mode has them. */
export const oauth = fp<{ auth: Auth; hosts: string[] }>(
  async (app, { auth, hosts }) => {
    await auth.register(app, hosts);
  },
  { name: "oauth", dependencies: [...EVERY_REQUEST] },
);
