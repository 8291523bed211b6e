import { expect, test } from "@jest/globals";
import type { Principal } from "../../../server/auth/principal.ts";
import { EVERYTHING, Grants } from "../../../server/grants/grants.ts";
import { parseGrants } from "../../../server/grants/parse-grants.ts";

const READ = { name: "read_file", scope: "code:read" } as const;
const SEARCH = { name: "search_text", scope: "code:read" } as const;
const TOKEN: Principal = { id: "t1", kind: "token", name: "ci", scopes: ["code:read", "ops"] };
const ADA: Principal = {
  id: "user:p1",
  kind: "person",
  login: "ada",
  name: "Grace",
  groups: ["dev"],
  scopes: ["code:read"],
};

function grantsOf(text: string): Grants {
  const { result, problems } = parseGrants(text);
  expect(problems).toEqual([]);
  return new Grants(result);
}
/** Names of repositories that a caller sees in a tool. */
function seen(grants: Grants, principal: Principal, tool: typeof READ | typeof SEARCH) {
  let allows: (name: string) => boolean = () => true;
  const workspace = {
    limitedTo: (limit: typeof allows) => {
      allows = limit;
    },
  };
  grants.access(principal).workspace(tool, workspace as never);
  return ["app-one", "docs", ".hidden"].filter((name) => allows(name));
}

test("without grants each caller sees what the scopes permit", () => {
  const access = new Grants().access(ADA);
  expect([access.allows(READ), access.grants(READ)]).toEqual([true, true]);
  expect(new Grants().access({ ...ADA, scopes: ["ops"] }).allows(READ)).toBe(false);
  expect(new Grants().limited(TOKEN)).toBe(TOKEN);
});

test("with grants a caller without an entry sees nothing", () => {
  const grants = grantsOf("user:bob");
  expect(grants.access(ADA).allows(READ)).toBe(false);
  expect(grants.limited(TOKEN).scopes).toEqual([]);
  expect(grants.access(EVERYTHING).allows(READ)).toBe(true);
});

test.each<[string, Principal, boolean]>([
  ["user:ada", ADA, true],
  // Anybody may choose a name or have an id that looks like another's login.
  ["user:Grace", ADA, false],
  ["user:p1", ADA, false],
  ["group:dev", ADA, true],
  ["token:ada", ADA, false],
  ["token:ci", TOKEN, true],
  ["token:t1", TOKEN, true],
  ["user:ci", TOKEN, false],
  ["user:s1", { id: "sub:s1", kind: "issuer", name: "ada", scopes: ["code:read"] }, true],
  ["user:ada", { id: "sub:s1", kind: "issuer", name: "ada", scopes: ["code:read"] }, false],
  ["*", { id: "anonymous", kind: "anonymous", name: "anonymous", scopes: ["code:read"] }, true],
  ["user:anonymous", { id: "anonymous", kind: "anonymous", name: "anonymous", scopes: ["code:read"] }, false],
])("%s is %j: %s", (who, principal, expected) => {
  expect(grantsOf(who).access(principal).allows(READ)).toBe(expected);
});

test("entries add up, and each is a pair of tools and repositories", () => {
  const grants = grantsOf(
    "group:dev repositories=app-* tools=search_*; user:ada repositories=docs; token:ci tools=read_*",
  );
  expect(seen(grants, ADA, SEARCH)).toEqual(["app-one", "docs"]);
  expect(seen(grants, ADA, READ)).toEqual(["docs"]);
  expect(seen(grants, TOKEN, READ)).toEqual(["app-one", "docs", ".hidden"]);
  expect(grants.access(TOKEN).grants(SEARCH)).toBe(false);
});

test("a scope is granted or not, and never more than the token has", () => {
  const grants = grantsOf("token:ci scopes=code:read; user:ada scopes=code:read,ops");
  expect(grants.limited(TOKEN).scopes).toEqual(["code:read"]);
  expect(grants.limited(ADA).scopes).toEqual(["code:read"]);
});

test("callers who see the same share one key, others do not", () => {
  const grants = grantsOf("group:dev repositories=a; token:ci repositories=b");
  const key = (principal: Principal) => grants.access(principal).key;
  expect(key(ADA)).toBe(key({ ...ADA, id: "user:p2", login: "eve" }));
  expect(key(ADA)).not.toBe(key({ ...TOKEN, scopes: ["code:read"] }));
  expect(key(ADA)).not.toBe(key({ ...ADA, scopes: [] }));
});

test.each([
  ["ada", /^entry 1 does not begin/],
  ["*; user:", /^entry 2 does not begin/],
  ["* repos=a", /^entry 1 has a field/],
  ["* tools=a tools=b", /^entry 1 has a field/],
  ["* scopes=admin", /^entry 1 has a scope/],
  ["* repositories=hunter2/{a}", /^entry 1 has a pattern in repositories=/],
  ["* tools=", /^entry 1 has a pattern in tools=/],
])("%j is refused without being repeated", (text, problem) => {
  const { problems } = parseGrants(text);
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(problems.join()).not.toContain("hunter2");
});
