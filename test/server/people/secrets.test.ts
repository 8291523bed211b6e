import { expect, test } from "@jest/globals";
import { Secret } from "otpauth";
import { delay } from "../../../server/people/failures.ts";
import { hashPassword, passwordProblem, verifyPassword } from "../../../server/people/password.ts";
import { totpStep } from "../../../server/people/totp.ts";

test("a password is hashed by argon2id with OWASP's parameters, and a salt of its own", async () => {
  const [one, other] = await Promise.all([hashPassword("pass phrase one"), hashPassword("pass phrase one")]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(one).not.toBe(other);
  expect(await verifyPassword(one, "pass phrase one")).toBe(true);
  expect(await verifyPassword(one, "pass phrase two")).toBe(false);
  expect(await verifyPassword(undefined, "pass phrase one")).toBe(false);
  // "é" as one character and as two.
  expect(await verifyPassword(await hashPassword("caf\u00e9 au lait"), "cafe\u0301 au lait")).toBe(true);
});

test("a flood of sign-ins, for logins that do not exist too, waits or is refused; a known browser does not wait for it", async () => {
  const hash = await hashPassword("pass phrase one");
  let done = 0;
  const flood = Array.from({ length: 40 }, () =>
    verifyPassword(undefined, "guess").then(() => {
      done++;
    }),
  );
  const settled = Promise.allSettled(flood);
  expect(await verifyPassword(hash, "pass phrase one", { first: true })).toBe(true);
  expect(done).toBeLessThan(30);
  const refused = (await settled).filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(6);
  await expect(flood[39]).rejects.toThrow("Too many people are signing in");
});

test("an argon2 hash of another program verifies", async () => {
  // Argon2's reference program: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
  const hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  expect(await verifyPassword(hash, "password")).toBe(true);
});

test.each([
  ["short", /at least 10/],
  ["x".repeat(257), /at most 256/],
  ["aaaaaaaaaaaa", /different/],
  ["hello-ada-hello", /your login/],
])("the password %s is refused", (password, problem) => {
  expect(passwordProblem(password, "ada")).toMatch(problem);
});

// RFC 6238, appendix B, SHA-1; the last six of its eight digits.
test.each([
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_234_567_890, "005924"],
  [20_000_000_000, "353130"],
])("RFC 6238: the code at %i s is %s", (seconds, code) => {
  const secret = Secret.fromLatin1("12345678901234567890").base32;
  expect(totpStep(secret, code, seconds * 1_000)).toBe(Math.floor(seconds / 30));
  expect(totpStep(secret, code, (seconds + 90) * 1_000)).toBeUndefined();
  expect(totpStep(secret, `${code}0`, seconds * 1_000)).toBeUndefined();
});

test("the delay grows to an hour and stays there", () => {
  expect([1, 4, 5, 6, 10, 30].map(delay)).toEqual([0, 0, 2_000, 4_000, 64_000, 3_600_000]);
});
