import { AuthEvents } from "../../server/auth/events.ts";
import { AuthorizationServer } from "../../server/auth/oauth/authorization-server.ts";
import { metadataUrl } from "../../server/auth/oauth/metadata.ts";
import { OAuthAuthenticator } from "../../server/auth/oauth/oauth-authenticator.ts";
import { openOAuthStore } from "../../server/auth/oauth/open-oauth-store.ts";
import { StoredPeople } from "../../server/people/stored-people.ts";
import type { Figure } from "../figures.ts";
import { accessToken } from "./access-token.ts";

const ISSUER = "https://mcp.example.com";
const WARM_UP = 20_000;
const BATCHES = 50;
const CHECKS = 2_000;
/** Each is verified once: every one costs a signature. */
const NEW_TOKENS = 200;

/** What a request pays for the check of its access token: one that was verified before, beside one that is new. */
export async function bearerFigures(): Promise<Figure[]> {
  const store = await openOAuthStore({ storeUrl: undefined, sessionsDir: undefined });
  const events = new AuthEvents();
  const people = new StoredPeople(store, ISSUER);
  const server = await AuthorizationServer.start({ issuer: ISSUER, store, people, events });
  try {
    const { issuer, resource } = server;
    const authenticator = new OAuthAuthenticator({
      issuer,
      resource,
      metadataUrl: metadataUrl(resource),
      keys: () => server.keys,
      isRevoked: (id) => server.isRevoked(id),
      people,
      events,
    });
    const known = await accessToken(server);
    await time(authenticator, Array(WARM_UP).fill(known));
    const batches: number[] = [];
    for (let n = 0; n < BATCHES; n++) batches.push(await time(authenticator, Array(CHECKS).fill(known)));
    const fresh: string[] = [];
    for (let n = 0; n < NEW_TOKENS; n++) fresh.push(await accessToken(server));
    const unknown = await time(authenticator, fresh);
    return [
      {
        what: "check of an access token that was verified before",
        unit: "µs",
        ours: batches.sort((one, other) => one - other)[BATCHES / 2] ?? 0,
        against: { name: "the first check of a token", value: unknown },
        promise: "<= 30",
      },
    ];
  } finally {
    await server.close();
  }
}

/** @returns microseconds for each token */
async function time(authenticator: OAuthAuthenticator, tokens: readonly string[]): Promise<number> {
  const headers = tokens.map((token) => `Bearer ${token}`);
  const started = performance.now();
  for (const header of headers) {
    const verdict = await authenticator.authenticate(header);
    if (!("principal" in verdict)) throw new Error(verdict.reason);
  }
  return ((performance.now() - started) * 1_000) / tokens.length;
}
