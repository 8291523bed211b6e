import { randomUUID } from "node:crypto";
import { importJWK, SignJWT } from "jose";
import type { AuthorizationServer } from "../../server/auth/oauth/authorization-server.ts";
import { SIGNING_ALG } from "../../server/auth/oauth/keys.ts";
import { StoredPeople } from "../../server/people/stored-people.ts";

/** An access token as the authorization server issues it, for a new person, without the sign-in. Valid for an hour. */
export async function accessToken({ people, keys, issuer, resource }: AuthorizationServer): Promise<string> {
  if (!(people instanceof StoredPeople)) throw new Error("people are not in the store");
  const person = await people.directory.add({
    login: `bench-${randomUUID()}`,
    name: "Bench",
    groups: [],
    scopes: ["code:read"],
  });
  const [key] = keys.signing;
  if (!key) throw new Error("there is no signing key");
  return new SignJWT({ scope: "code:read", client_id: "bench", grant: randomUUID() })
    .setProtectedHeader({ alg: SIGNING_ALG, typ: "at+jwt", kid: key.jwk.kid })
    .setIssuer(issuer)
    .setAudience(resource)
    .setSubject(person.id)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(await importJWK(key.jwk, SIGNING_ALG));
}
