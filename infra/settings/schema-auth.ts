import * as z from "zod";
import { grant, grantsVariable } from "./grants.ts";
import { oneOf, type Shape, setting } from "./meta.ts";

/** Settings of every target that say who may call, and who may see what. */
export const auth = {
  auth: setting(oneOf("oauth", "token"), "oauth", {
    description:
      "Who may call. `oauth`: people sign in and allow their clients (Claude.ai, ChatGPT and others); tokens work too, at `/mcp/token` for clients that ignore a pasted token where they find OAuth. `token`: only clients with a bearer token, which is stored hashed.",
    server: "AUTH_MODE",
  }),
  grants: setting(z.array(grant), [], {
    description:
      "Who may see what: a list of `who` (`user:LOGIN`, `group:GROUP`, `token:NAME` or `*`) with `scopes`, `repositories` and `tools`, names or patterns such as `app-*`; a list that is left out stands for all. A caller has what any entry gives, and no more than the token's scopes; without an entry, nothing.",
    fallback: "every caller sees what the token's scopes permit",
    example: [{ who: "group:dev", repositories: ["app-*"], tools: ["search_*", "read_file"] }],
    server: (grants) => ({ GRANTS: grantsVariable(grants) }),
  }),
} satisfies Shape;
