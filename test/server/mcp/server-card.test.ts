import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { aiCatalog, serverCard } from "../../../server/mcp/server-card.ts";
import { type RunningOAuth, startOAuth } from "../auth/oauth/support.ts";

let running: RunningOAuth;
beforeAll(async () => {
  running = await startOAuth();
});
afterAll(() => running.app.close());

test("the catalog names the card, the card names the MCP endpoint, and pages of every origin may read both", async () => {
  const read = async (url: string) => {
    const response = await fetch(url, { headers: { origin: "https://registry.example" } });
    const header = (name: string) => response.headers.get(name);
    expect([response.status, header("access-control-allow-origin"), header("cache-control")]).toEqual([
      200,
      "*",
      "public, max-age=3600",
    ]);
    return { type: header("content-type"), document: (await response.json()) as never };
  };
  const catalog = await read(`${running.origin}/.well-known/ai-catalog.json`);
  expect(catalog.type).toBe("application/ai-catalog+json");
  const [entry] = (catalog.document as ReturnType<typeof aiCatalog>).entries;
  expect(entry?.type).toBe("application/mcp-server-card+json");
  const card = await read(entry?.url ?? "");
  expect(card.type).toBe("application/mcp-server-card+json");
  const { remotes } = card.document as ReturnType<typeof serverCard>;
  expect(remotes[0]).toMatchObject({ type: "streamable-http", url: `${running.origin}/mcp` });
  expect(remotes[0]?.supportedProtocolVersions).toEqual(expect.arrayContaining(["2026-07-28", "2025-11-25"]));
});

// The patterns of the card's schema (schemas/v1/server-card.schema.json).
test.each([
  ["https://mcp.example.com", "com.example.mcp/mcp-edge", "urn:air:mcp.example.com:mcp-edge"],
  ["http://[::1]:3000", "1/mcp-edge", "urn:air:1:mcp-edge"],
])("the card of %s has a valid name and identifier", (origin, name, identifier) => {
  const card = serverCard(origin, false);
  expect(card.name).toBe(name);
  expect(card.name).toMatch(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/);
  expect(card.description.length).toBeLessThanOrEqual(100);
  expect(aiCatalog(origin).entries[0]?.identifier).toBe(identifier);
});

test("the card of a server that accepts only configured tokens requires the header Authorization", () => {
  expect(serverCard("https://a.example", true).remotes[0]).toMatchObject({
    headers: [{ name: "Authorization", isRequired: true, isSecret: true }],
  });
  expect(serverCard("https://a.example", false).remotes[0]).not.toHaveProperty("headers");
});
