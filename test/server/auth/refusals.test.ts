import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import Fastify from "fastify";
import { guard } from "../../../server/auth/guard.ts";
import { Refusals } from "../../../server/auth/refusals.ts";
import { TokenAuthenticator } from "../../../server/auth/token-authenticator.ts";
import { temporaryFolder } from "../support.ts";
import { makeToken } from "./support.ts";

describe("a refused credential is named once an hour and network", () => {
  test("a dead token that is repeated is one refusal; guesses are many", () => {
    let now = 0;
    const refusals = new Refusals({ now: () => now });
    const first = refusals.name("Bearer dead", "192.0.2.1");
    expect(first).toMatch(/^[0-9a-f]{12}$/);
    for (let i = 0; i < 1_000; i++) expect(refusals.name("Bearer dead", "192.0.2.1")).toBeUndefined();
    const guesses = Array.from({ length: 100 }, (_, i) => refusals.name(`Bearer ${i}`, "192.0.2.1"));
    expect(new Set(guesses).size).toBe(100);
    expect(refusals.name("Bearer dead", "192.0.2.2")).toBe(first);
    now += 3_599_999;
    expect(refusals.name("Bearer dead", "192.0.2.1")).toBeUndefined();
    now += 1;
    expect(refusals.name("Bearer dead", "192.0.2.1")).toBe(first);
  });

  test("the hash differs from process to process, and nothing of the credential is kept", () => {
    const [one, other] = [new Refusals(), new Refusals()];
    expect(one.name("Bearer secret", "192.0.2.1")).not.toBe(other.name("Bearer secret", "192.0.2.1"));
    expect(JSON.stringify(Object.entries(one))).not.toContain("secret");
  });

  test("holds a bounded number, and none that is over", () => {
    let now = 0;
    const refusals = new Refusals({ max: 10, now: () => now });
    for (let i = 0; i < 1_000; i++) refusals.name(`Bearer ${i}`, "192.0.2.1");
    expect(refusals.size).toBe(10);
    now = 3_600_000;
    refusals.name("Bearer new", "192.0.2.1");
    expect(refusals.size).toBe(1);
  });
});

describe("the guard names guesses to the edge", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const app = Fastify();
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  test("an unknown token and any other credential, but no missing, expired or good one", async () => {
    const file = join(folder.path, "tokens.json");
    const { token: good } = await makeToken({ TOKENS_FILE: file });
    const { token: old } = await makeToken({ TOKENS_FILE: file }, "--ttl", "1");
    const authenticator = new TokenAuthenticator(file, {
      onProblem: (problem) => {
        throw problem;
      },
      now: () => Date.now() + 2_000,
    });
    app.addHook("onRequest", guard(authenticator));
    app.get("/", async () => "ok");
    const named = async (authorization?: string) => {
      const headers = authorization === undefined ? {} : { authorization };
      const { statusCode, headers: answer } = await app.inject({ url: "/", headers });
      return [statusCode, answer["x-refused-credential"] !== undefined];
    };
    expect(await named()).toEqual([401, false]);
    expect(await named("")).toEqual([401, false]);
    expect(await named(`Bearer ${good}`)).toEqual([200, false]);
    expect(await named(`Bearer ${old}`)).toEqual([401, false]);
    for (const guess of ["Bearer mcp_guess", "Basic YWRtaW46YWRtaW4=", "mcp_guess", "Bearer a b"]) {
      expect([guess, ...(await named(guess))]).toEqual([guess, 401, true]);
      expect([guess, ...(await named(guess))]).toEqual([guess, 401, false]);
    }
    await app.close();
  });
});
