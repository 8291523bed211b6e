import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { TokenAuthenticator } from "../../../server/auth/token-authenticator.ts";
import { tokenCommand } from "../../../server/auth/token-command.ts";
import { hashToken, readTokens } from "../../../server/auth/tokens-file.ts";
import { temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, "state", "tokens.json");
});
afterEach(() => folder.remove());

async function token(...args: string[]): Promise<string> {
  let written = "";
  const command = tokenCommand({ TOKENS_FILE: file }, (text) => {
    written += text;
  });
  for (const c of [command, ...command.commands])
    c.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: "user" });
  return written;
}

describe("token command", () => {
  test("create stores the hash alone, mode 0640, and shows the token once", async () => {
    const made = JSON.parse(
      await token("create", "--name", "laptop", "--ttl", "60", "--scopes", "code:read,ops", "--json"),
    );
    expect(made.token).toMatch(/^mcp_[\w-]{43}$/);
    expect(made.scopes).toEqual(["code:read", "ops"]);
    expect(Date.parse(made.expiresAt) - Date.parse(made.createdAt)).toBe(60_000);
    const text = await readFile(file, "utf8");
    expect(text).not.toContain(made.token);
    expect(JSON.parse(text)).toEqual({
      version: 1,
      tokens: [
        {
          id: made.id,
          name: "laptop",
          hash: hashToken(made.token),
          scopes: made.scopes,
          createdAt: made.createdAt,
          expiresAt: made.expiresAt,
        },
      ],
    });
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  test("list shows no hash, revoke takes away", async () => {
    const made = JSON.parse(await token("create", "--name", "one", "--json"));
    await token("create", "--name", "two");
    const listed = JSON.parse(await token("list", "--json"));
    expect(listed.map((t: { name: string }) => t.name)).toEqual(["one", "two"]);
    expect(JSON.stringify(listed)).not.toContain("hash");
    expect(await token("list")).toContain("until revoked");
    await token("revoke", made.id);
    expect((await readTokens(file)).map((t) => t.name)).toEqual(["two"]);
    await expect(token("revoke", made.id)).rejects.toThrow(`There is no token ${made.id}`);
  });

  test("commands at the same time lose nothing", async () => {
    await Promise.all(["a", "b", "c", "d"].map((name) => token("create", "--name", name)));
    expect((await readTokens(file)).map((t) => t.name).sort()).toEqual(["a", "b", "c", "d"]);
  });

  test.each([
    [["create"], "--name"],
    [["create", "--name", "x", "--ttl", "soon"], "whole number of seconds"],
    [
      ["create", "--name", "x", "--scopes", "code:read,root"],
      'known scopes are code:read, ops, index:write; "root" is none',
    ],
    [["create", "--name", "line\nbreak"], "1 to 64 letters"],
  ])("%j is refused", async (args, message) => {
    await expect(token(...args)).rejects.toThrow(message);
    expect(await readTokens(file)).toEqual([]);
  });

  test("a broken file is named, not overwritten", async () => {
    await token("create", "--name", "x");
    await writeFile(file, "{");
    await expect(token("create", "--name", "y")).rejects.toThrow(`${file} is not JSON`);
    expect(await readFile(file, "utf8")).toBe("{");
    await writeFile(file, '{"version":2,"tokens":[]}');
    await expect(token("list")).rejects.toThrow("no tokens file of version 1 (version)");
  });
});

describe("TokenAuthenticator", () => {
  const create = async (...args: string[]) =>
    JSON.parse(await token("create", "--name", "x", "--json", ...args));
  const onProblem = (problem: Error) => {
    throw problem;
  };
  const strict = () => new TokenAuthenticator(file, { onProblem, now: () => time });
  let start = 0;
  let time = 0;
  beforeEach(() => {
    start = time = Date.now();
  });
  /** @param ms after the start of the test */
  const at = (auth: TokenAuthenticator, ms: number, header: string) => {
    time = start + ms;
    return auth.authenticate(header);
  };

  test("no file: nobody is let in, and the challenge names no resource metadata", async () => {
    const auth = strict();
    expect(await auth.authenticate(undefined)).toMatchObject({ challenge: "Bearer" });
    const verdict = await auth.authenticate("Bearer mcp_wrong");
    expect(verdict).toMatchObject({ challenge: expect.stringContaining('Bearer error="invalid_token"') });
    expect(JSON.stringify(verdict)).not.toContain("resource_metadata");
    expect(await auth.check()).toBe(0);
  });

  test("a token counts from the moment it is made and, a second at most, until it is revoked", async () => {
    const auth = strict();
    await at(auth, 0, "Bearer mcp_wrong");
    const made = await create();
    const expected = { principal: { id: made.id, kind: "token", name: "x", scopes: ["code:read"] } };
    expect(await at(auth, 1, `Bearer ${made.token}`)).toEqual(expected);
    expect(await at(auth, 2, `bearer ${made.token}`)).toEqual(expected);
    await token("revoke", made.id);
    expect(await at(auth, 1_002, `Bearer ${made.token}`)).toHaveProperty("challenge");
  });

  test("expiry", async () => {
    const auth = strict();
    const made = await create("--ttl", "60");
    start = Date.parse(made.createdAt);
    expect(await at(auth, 59_999, `Bearer ${made.token}`)).toHaveProperty("principal");
    expect(await at(auth, 60_000, `Bearer ${made.token}`)).toMatchObject({
      reason: "the token has expired",
    });
  });

  test("a file that breaks is reported, and the tokens read before stay", async () => {
    const seen: Error[] = [];
    const auth = new TokenAuthenticator(file, {
      onProblem: (problem) => seen.push(problem),
      now: () => time,
    });
    const made = await create();
    expect(await at(auth, 0, `Bearer ${made.token}`)).toHaveProperty("principal");
    await writeFile(file, "broken");
    expect(await at(auth, 2_000, `Bearer ${made.token}`)).toHaveProperty("principal");
    expect(seen.map((e) => e.message)).toEqual([expect.stringContaining("is not JSON")]);
    await expect(auth.check()).rejects.toThrow("is not JSON");
    await rm(file);
    expect(await at(auth, 4_000, `Bearer ${made.token}`)).toHaveProperty("challenge");
  });

  test("a file that the system refuses for a moment is read again, though it did not change: a revoked token ends", async () => {
    const seen: Error[] = [];
    let refused = false;
    const read = async (name: string) => {
      if (refused) throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
      return readTokens(name);
    };
    const auth = new TokenAuthenticator(file, {
      onProblem: (problem) => seen.push(problem),
      read,
      now: () => time,
    });
    const made = await create();
    expect(await at(auth, 0, `Bearer ${made.token}`)).toHaveProperty("principal");
    await token("revoke", made.id);
    refused = true;
    for (const later of [2_000, 4_000, 6_000])
      expect(await at(auth, later, `Bearer ${made.token}`)).toHaveProperty("principal");
    expect(seen).toHaveLength(1);
    refused = false;
    expect(await at(auth, 8_000, `Bearer ${made.token}`)).toHaveProperty("challenge");
  });

  test.each(["Basic eDp5", "Bearer", "Bearer a b", `Bearer ${"x".repeat(5_000)}`, "mcp_token"])(
    "%s is no bearer token",
    async (header) => {
      expect(await strict().authenticate(header)).toMatchObject({ challenge: "Bearer" });
    },
  );
});
