import { Secret, TOTP } from "otpauth";
import type { StoredPeople } from "../../../server/people/stored-people.ts";
import { newTotpSecret } from "../../../server/people/totp.ts";

export const ORIGIN = "https://mcp.example.com";
export const LONG_PASSWORD = "correct horse battery";
export const ENROLLED = { name: "Somebody", groups: [], scopes: ["code:read" as const] };

/** What an authenticator app shows. */
export const codeOf = (secret: string, now = Date.now()) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now });

/** A person with a password, an authenticator app and recovery codes. */
export async function enrolled(people: StoredPeople, login: string) {
  const person = await people.directory.add({ ...ENROLLED, login });
  const secret = newTotpSecret();
  await people.passwords.set(person.id, LONG_PASSWORD);
  await people.totp.set(person.id, secret);
  const recoveryCodes = await people.recoveryCodes.renew(person.id);
  const attempt = { login, password: LONG_PASSWORD, code: "", source: "192.0.2.1" };
  return { person, secret, recoveryCodes, attempt };
}
