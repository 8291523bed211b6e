import { canonicalResource, knownScopes, servedScope } from "./resource.ts";

/**
 * An authorization request as oidc-provider shall see it: every spelling of the one resource is the resource, and unknown scopes are
 * dropped. Everything else stays as it is.
 */
export function servedAuthorization(parameters: URLSearchParams, resource: string): URLSearchParams {
  const served = withResource(parameters, resource);
  served.set("scope", servedScope(parameters.get("scope") ?? ""));
  return served;
}

/** A token request: as above. A refresh may ask for less than was granted; scopes that nobody knows are dropped. */
export function servedTokenRequest(parameters: URLSearchParams, resource: string): URLSearchParams {
  const served = withResource(parameters, resource);
  const scope = knownScopes(parameters.get("scope") ?? "").join(" ");
  if (scope === "") served.delete("scope");
  else served.set("scope", scope);
  return served;
}

function withResource(parameters: URLSearchParams, resource: string): URLSearchParams {
  const served = new URLSearchParams(parameters);
  const given = parameters.getAll("resource").filter(Boolean);
  served.delete("resource");
  for (const one of new Set(given.map((uri) => canonicalResource(uri, resource))))
    served.append("resource", one);
  return served;
}
