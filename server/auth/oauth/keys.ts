import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import * as z from "zod";
import type { OAuthStore } from "./store.ts";

/** The one algorithm of access tokens and ID tokens. */
export const SIGNING_ALG = "ES256";

const DOCUMENT = "keys";

const KeySchema = z.object({
  jwk: z.looseObject({ kty: z.literal("EC"), crv: z.literal("P-256"), kid: z.string(), d: z.string() }),
  /** Milliseconds since 1970. */
  createdAt: z.number(),
  /** When the last token that it signed has ended; missing for the newest. */
  retiresAt: z.number().optional(),
});
const KeysSchema = z.object({
  version: z.literal(1),
  /** The newest first: it signs. */
  signing: z.array(KeySchema).min(1),
  /** Secrets of cookies, the newest first. */
  cookies: z.array(z.string().min(32)).min(1),
});

export type KeySet = z.output<typeof KeysSchema>;

/** How long a replaced key still verifies, milliseconds. Access tokens and ID tokens live for an hour. */
const RETIRED_AFTER_MS = 2 * 3_600_000;

/** The keys that all instances share; made when there are none. */
export async function loadKeys(store: OAuthStore, now = Date.now()): Promise<KeySet> {
  for (;;) {
    const text = await store.readDocument(DOCUMENT);
    if (text !== undefined) return parse(text);
    const fresh: KeySet = { version: 1, signing: [await newKey(now)], cookies: [newSecret()] };
    // Another instance may make them at the same moment: then its keys are read.
    await store.writeDocument(DOCUMENT, undefined, JSON.stringify(fresh));
  }
}

/**
 * Makes a new signing key and cookie secret. The old ones verify until what they signed has ended; running servers take part within a
 * second.
 *
 * @param options.drop for a key that is known to others: the old ones verify nothing from now on. Clients refresh their tokens; browsers
 *   have to sign in again
 * @returns the new key's id
 */
export async function rotateKeys(
  store: OAuthStore,
  now = Date.now(),
  { drop = false }: { drop?: boolean } = {},
): Promise<string> {
  for (;;) {
    await loadKeys(store, now);
    const text = await store.readDocument(DOCUMENT);
    if (text === undefined) continue;
    const kept: Pick<KeySet, "signing" | "cookies"> = drop ? { signing: [], cookies: [] } : parse(text);
    const { signing, cookies } = kept;
    const key = await newKey(now);
    const retired = signing.map((old) => ({ ...old, retiresAt: old.retiresAt ?? now + RETIRED_AFTER_MS }));
    const next: KeySet = {
      version: 1,
      signing: [key, ...retired.filter(({ retiresAt }) => retiresAt > now)],
      // Sessions of browsers last for a month: the secret before this one goes on verifying.
      cookies: [newSecret(), ...cookies].slice(0, 3),
    };
    if (await store.writeDocument(DOCUMENT, text, JSON.stringify(next))) return key.jwk.kid;
  }
}

async function newKey(now: number): Promise<KeySet["signing"][number]> {
  const { privateKey } = await generateKeyPair(SIGNING_ALG, { extractable: true });
  const jwk: JWK = await exportJWK(privateKey);
  const kid = `${new Date(now).toISOString().slice(0, 10)}-${randomBytes(4).toString("hex")}`;
  return KeySchema.parse({ jwk: { ...jwk, kid, alg: SIGNING_ALG, use: "sig" }, createdAt: now });
}

const newSecret = () => randomBytes(32).toString("base64url");

function parse(text: string): KeySet {
  const parsed = KeysSchema.safeParse(JSON.parse(text));
  // Never the text: it holds private keys.
  if (!parsed.success) throw new Error("The stored keys are not keys of version 1");
  return parsed.data;
}

/** The public halves, for those who verify. */
export function publicKeys(keys: KeySet): JWK[] {
  return keys.signing.map(({ jwk: { d: _, ...rest } }) => rest as JWK);
}
