import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { openOAuthStore } from "../../../server/auth/oauth/open-oauth-store.ts";
import { StoredPeople } from "../../../server/people/stored-people.ts";
import { userCommand } from "../../../server/people/user-command.ts";
import { temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function user(...args: string[]): Promise<string> {
  let written = "";
  const env = { AUTH_MODE: "oauth", PUBLIC_URL: "https://mcp.example.com", SESSIONS_DIR: folder.path };
  const command = userCommand(env, (text) => {
    written += text;
  });
  for (const one of [command, ...command.commands])
    one.exitOverride().configureOutput({ writeErr: () => {} });
  await command.parseAsync(args, { from: "user" });
  return written;
}

async function withPeople<T>(work: (people: StoredPeople) => Promise<T>): Promise<T> {
  const store = await openOAuthStore({ storeUrl: undefined, sessionsDir: folder.path });
  return work(new StoredPeople(store, "https://mcp.example.com")).finally(() => store.close());
}

test("a person is added with a link, listed, reset and removed", async () => {
  const added = JSON.parse(await user("add", "ada", "--name", "Ada L", "--groups", "staff,dev", "--json"));
  expect(added).toMatchObject({
    login: "ada",
    name: "Ada L",
    groups: ["staff", "dev"],
    scopes: ["code:read"],
  });
  const token = /^https:\/\/mcp\.example\.com\/enrol\?link=([\w-]{43})$/.exec(added.link)?.[1] ?? "";
  expect(await withPeople((people) => people.links.check(token, "enrol"))).toMatchObject({
    person: added.id,
  });
  expect(await user("list")).toMatch(/^ada {2}Ada L {2}code:read {2}staff,dev {2}added /);

  await withPeople(async ({ directory: { store } }) => {
    await store.put({ model: "Grant", id: "g1", payload: {}, person: added.id });
    await store.put({ model: "Session", id: "s1", uid: "u1", payload: {}, person: added.id });
  });
  expect(await user("reset", "ada")).toMatch(/^https:.*\nGive this link to Ada L/);
  await withPeople(async (people) => {
    expect(await people.links.check(token, "enrol")).toBeUndefined();
    expect(await people.directory.store.list("Session", { person: added.id })).toEqual([]);
    expect([...(await people.directory.store.revoked())]).toEqual(["g1"]);
  });
  expect(await user("remove", "ada")).toBe("Removed ada; 0 connections were cut off.\n");
  expect(await user("list")).toBe("No people. Add one: user add ada\n");
  await expect(user("remove", "ada")).rejects.toThrow('There is no person "ada"; see: user list');
});

test.each([
  [["add", "Ada"], /lower-case/],
  [["add", "ada", "--name", "a\nb"], /one line/],
  [["add", "ada", "--groups", "Staff!"], /no group/],
  [["add", "ada", "--scopes", "root"], /known scopes/],
])("%j is refused", async (args, problem) => {
  await expect(user(...args)).rejects.toThrow(problem);
});

test("without sign-in there are no people to add", async () => {
  const command = userCommand({ SESSIONS_DIR: folder.path }, () => {});
  await expect(command.parseAsync(["list"], { from: "user" })).rejects.toThrow("AUTH_MODE=oauth");
});
