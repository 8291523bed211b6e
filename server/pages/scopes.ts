import type { Scope } from "../auth/principal.ts";

/** What a scope lets a client do, after "It will be able to". */
export const SCOPE_TEXT: Readonly<Record<Scope, string>> = {
  "code:read": "read and search the source code on this server",
  "index:write": "upload indexes of the source code to this server",
  ops: "see the state and the metrics of this server",
};
