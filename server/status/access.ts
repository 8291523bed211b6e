import type { FastifyReply, FastifyRequest } from "fastify";
import { type AuthenticatorFor, identifyBy, requireScope } from "../auth/guard.ts";
import type { AuthorizationServer } from "../auth/oauth/authorization-server.ts";
import type { Person } from "../auth/people.ts";
import type { Grants } from "../grants/grants.ts";
import { isLocalCaller } from "../http/peer.ts";
import { signInUrl, visitorOf } from "../people/visitor.ts";

/** `allowed`: now. `still`: whether that has not changed, for a stream. The others were answered, or are to be. */
export type StatusAccess =
  | { readonly verdict: "allowed"; readonly person?: Person; still(): Promise<boolean> }
  | { readonly verdict: "answered" }
  | { readonly verdict: "sign-in"; readonly url: string }
  | { readonly verdict: "refused"; readonly person: Person };

export interface StatusAccessOptions {
  readonly authenticator: AuthenticatorFor;
  /** Where people sign in; undefined: nowhere. */
  readonly server: Pick<AuthorizationServer, "sessions" | "people" | "store"> | undefined;
  readonly grants: Grants;
}

/**
 * Who may see the state of the server: a caller on the machine itself, a token with the scope `ops`, and a person with it who is signed in in
 * this browser. A request with a token is checked by the token alone.
 */
export function statusAccess({ authenticator, server, grants }: StatusAccessOptions) {
  const identify = identifyBy(authenticator);
  const mayOperate = (person: Person) => {
    const { id, name, login, groups, scopes } = person;
    const principal = { id: `user:${id}`, kind: "person", name, login, groups, scopes } as const;
    return grants.limited(principal).scopes.includes("ops");
  };

  return async (request: FastifyRequest, reply: FastifyReply): Promise<StatusAccess> => {
    if (isLocalCaller(request.raw)) return { verdict: "allowed", still: async () => true };
    const bySession = server && request.headers.authorization === undefined;
    const visitor = bySession ? await visitorOf(server, request, reply) : undefined;
    if (visitor) {
      const { person, session } = visitor;
      if (!mayOperate(person)) return { verdict: "refused", person };
      const still = async () => {
        const [record, now] = await Promise.all([
          server?.store.getByUid("Session", session.uid),
          server?.people.find(person.id),
        ]);
        return record?.person === person.id && now !== undefined && mayOperate(now);
      };
      return { verdict: "allowed", person, still };
    }
    const page = request.headers.accept?.includes("text/html");
    if (bySession && page) return { verdict: "sign-in", url: signInUrl("/status") };
    if (!(await identify(request, reply))) return { verdict: "answered" };
    requireScope(request, reply, "ops");
    const { principal } = request;
    const checker = typeof authenticator === "function" ? authenticator(request) : authenticator;
    const still = async () =>
      !principal || !checker.current || (await checker.current(principal))?.scopes.includes("ops") === true;
    return { verdict: "allowed", still };
  };
}
