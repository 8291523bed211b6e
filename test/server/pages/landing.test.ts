import { describe, expect, test } from "@jest/globals";
import { clientSetups } from "../../../server/pages/client-setup.ts";
import { type LandingFacts, landingPage } from "../../../server/pages/landing.ts";

const FACTS: LandingFacts = {
  origin: "https://mcp.example.com",
  auth: "sign-in",
  accounts: true,
  tools: [{ name: "a<b", description: 'says "hello" & more' }],
  serve: "all",
  protocol: undefined,
};
const body = (facts: Partial<LandingFacts>) => landingPage({ ...FACTS, ...facts }).body;

describe("landing page", () => {
  test("holds no script of its own and escapes what it shows", () => {
    const page = body({ origin: 'https://x.example/"><script>', auth: "token" });
    expect(page.match(/<script[^>]*>/gi)).toEqual([
      expect.stringMatching(/^<script src="\/assets\/copy-[0-9a-f]+\.js" type="module">$/),
    ]);
    expect(page).toContain("a&#60;b");
    expect(page).toContain("Authorization: Bearer $MCP_TOKEN");
  });

  test.each([
    ["sign-in", "allow the access", "takes no pasted token"],
    ["token", "takes no pasted token", "type /mcp in Claude Code to sign in"],
    ["none", "without a sign-in or a token", "Authorization"],
  ] as const)("auth %s", (auth, shown, hidden) => {
    expect(body({ auth })).toContain(shown);
    expect(body({ auth })).not.toContain(hidden);
  });

  test.each([
    ["HTTP/3.0", ">HTTP/3<"],
    ["HTTP/2.0", ">HTTP/2<"],
    ["HTTP/1.1", ">HTTP/1.1<"],
  ])("names the protocol of the visit: %s", (protocol, shown) => {
    expect(body({ protocol })).toContain(shown);
  });

  test("names no protocol that is none", () => {
    expect(body({ protocol: "<b>" })).toBe(body({}));
  });

  test("without an MCP endpoint there is no set-up, without accounts no link to one", () => {
    expect(body({ serve: "api" })).not.toContain("claude mcp add");
    expect(body({ accounts: false })).not.toContain("/account");
  });
});

test.each(["sign-in", "token", "none"] as const)("the one-click links hold the set-up (%s)", (auth) => {
  const setups = clientSetups("https://mcp.example.com/mcp", auth);
  const link = (name: string) => new URL(setups.find((one) => one.name === name)?.link ?? "");
  const config = Buffer.from(link("Cursor").searchParams.get("config") ?? "", "base64").toString();
  const headers = auth === "token" ? { Authorization: expect.stringMatching(/^Bearer \$\{/) } : undefined;
  const expected = { url: "https://mcp.example.com/mcp", ...(headers && { headers }) };
  expect(JSON.parse(config)).toEqual(expected);
  expect(JSON.parse(decodeURIComponent(link("VS Code").search.slice(1)))).toMatchObject({
    name: "mcp-edge",
    type: "http",
    ...expected,
  });
});
