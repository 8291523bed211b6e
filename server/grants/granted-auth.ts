import type { Auth } from "../auth/open-auth.ts";
import type { Authenticator } from "../auth/principal.ts";
import { then } from "../maybe-promise.ts";
import type { Grants } from "./grants.ts";

/** The same authentication, with principals that have only the scopes that are granted. */
export function grantedAuth(auth: Auth, grants: Grants): Auth {
  const known = new Map<Authenticator, Authenticator>();
  const granted = (authenticator: Authenticator) => {
    const limited = known.get(authenticator) ?? grantedAuthenticator(authenticator, grants);
    known.set(authenticator, limited);
    return limited;
  };
  return {
    ...auth,
    authenticator: (request) => granted(auth.authenticator(request)),
    everywhere: granted(auth.everywhere),
    tokens: auth.tokens && granted(auth.tokens),
  };
}

function grantedAuthenticator(authenticator: Authenticator, grants: Grants): Authenticator {
  const { refusals } = authenticator;
  return {
    ...(refusals ? { refusals } : {}),
    authenticate: (authorization, from) =>
      then(authenticator.authenticate(authorization, from), (verdict) =>
        "principal" in verdict ? { principal: grants.limited(verdict.principal) } : verdict,
      ),
    ...(authenticator.current
      ? {
          current: (principal) =>
            then(authenticator.current?.(principal), (current) => current && grants.limited(current)),
        }
      : {}),
    ...(authenticator.insufficientScope
      ? { insufficientScope: (scope) => authenticator.insufficientScope?.(scope) ?? "" }
      : {}),
  };
}
