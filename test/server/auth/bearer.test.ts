import { expect, test } from "@jest/globals";
import { BearerAnswers, bearerChallenge, bearerToken, VerifiedTokens } from "../../../server/auth/bearer.ts";
import { type AuthEvent, AuthEvents } from "../../../server/auth/events.ts";

test("no text breaks out of a challenge", () => {
  const text = `a"\\, error="x"\r\nSet-Cookie: b=c\u2028é`;
  expect(bearerChallenge({ error: "invalid_token", error_description: text, scope: undefined })).toBe(
    'Bearer error="invalid_token", error_description="a, error=xSet-Cookie: b=c"',
  );
  expect(bearerChallenge({})).toBe("Bearer");
});

test.each([
  ["Bearer abc", "abc"],
  ["bearer  abc ", "abc"],
  [`Bearer ${"x".repeat(4_096)}`, "x".repeat(4_096)],
  [`Bearer ${"x".repeat(4_097)}`, undefined],
  ["Bearer a b", undefined],
  ["Bearer a\u00e9", undefined],
  ["Basic abc", undefined],
  [undefined, undefined],
])("the token of %j", (header, token) => expect(bearerToken(header)).toBe(token));

test("a refused token is an event with the address of its client, and a missing one is none", () => {
  const events = new AuthEvents();
  const seen: AuthEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const metadataUrl = "https://mcp.example.com/m";
  const answers = new BearerAnswers({ hint: "Sign in", metadataUrl, scope: "code:read", events });
  const metadata = `resource_metadata="${metadataUrl}", scope="code:read"`;
  expect(answers.missing(undefined)).toEqual({ challenge: `Bearer ${metadata}`, reason: "Sign in" });
  expect(answers.missing("Basic eDp5")).toMatchObject({ guessed: true });
  expect(seen).toEqual([]);
  const from = () => ({ address: "192.0.2.7" });
  expect(answers.invalid("it has expired", { from })).toEqual({
    challenge: `Bearer error="invalid_token", error_description="it has expired", ${metadata}`,
    reason: "it has expired",
  });
  expect(seen).toMatchObject([{ type: "bearer.refused", reason: "it has expired", address: "192.0.2.7" }]);
});

test("verified tokens are kept until they end, a bounded number of them", () => {
  const tokens = new VerifiedTokens(2);
  const principal = { id: "user:p", kind: "person", name: "p", scopes: [] } as const;
  for (const token of ["one", "two"]) tokens.set(token, { principal, expiresAt: 10 });
  expect(tokens.get("one", 9)?.principal).toBe(principal);
  tokens.set("three", { principal, expiresAt: 10 });
  expect(["one", "two", "three"].map((token) => tokens.get(token, 9) !== undefined)).toEqual([
    true,
    false,
    true,
  ]);
  expect(tokens.get("one", 10)).toBeUndefined();
});
