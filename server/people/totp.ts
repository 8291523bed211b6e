import { Secret, TOTP } from "otpauth";
import type { OAuthStore } from "../auth/oauth/store.ts";
import { CREDENTIALS } from "./people-store.ts";

/** RFC 6238 as every authenticator app does it. */
const PERIOD_SECONDS = 30;
/** Steps before and after this one that count (RFC 6238, section 5.2): clocks differ. */
const WINDOW = 1;
/** One for each person and step whose code was used. */
const USED = "TotpUse";

export interface NewTotp {
  /** Base32, for people to type. */
  readonly secret: string;
  /** `otpauth://…`, for a QR code or a link. */
  readonly uri: string;
}

/** 160 bits, base32 (RFC 4226, section 4). */
export const newTotpSecret = (): string => new Secret({ size: 20 }).base32;

/** @param host who asks, in the authenticator app */
export function describeTotp(secret: string, host: string, login: string): NewTotp {
  return { secret, uri: totp(secret, `mcp-edge ${host}`, login).toString() };
}

/** @param now milliseconds since 1970 @returns the step that the code belongs to */
export function totpStep(secret: string, code: string, now: number): number | undefined {
  const token = code.replace(/[\s-]/g, "");
  if (!/^\d{6}$/.test(token)) return undefined;
  const delta = totp(secret).validate({ token, timestamp: now, window: WINDOW });
  return delta === null ? undefined : Math.floor(now / 1_000 / PERIOD_SECONDS) + delta;
}

/** The one-time codes of authenticator apps. */
export class TotpCodes {
  readonly #store: OAuthStore;
  readonly #now: () => number;

  constructor(store: OAuthStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  async set(person: string, secret: string): Promise<void> {
    await this.#store.put({ model: CREDENTIALS.totp, id: person, payload: { secret }, person });
  }

  async remove(person: string): Promise<void> {
    await this.#store.remove(CREDENTIALS.totp, person);
  }

  /** Whether it is the person's code, and was not used before (RFC 6238, section 5.2). It is used up. */
  async use(person: string, code: string): Promise<boolean> {
    const record = await this.#store.get(CREDENTIALS.totp, person);
    if (!record) return false;
    const step = totpStep(String(record.payload.secret), code, this.#now());
    if (step === undefined) return false;
    const expiresAt = (step + 2 * WINDOW + 1) * PERIOD_SECONDS * 1_000;
    return this.#store.add({ model: USED, id: `${person} ${step}`, payload: {}, person, expiresAt });
  }
}

const totp = (secret: string, issuer = "", label = "") =>
  new TOTP({ issuer, label, secret: Secret.fromBase32(secret), period: PERIOD_SECONDS });
