import { describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { registryEntry } from "../../../cli/connect/registry.ts";

const TARGET = { stack: "prod", url: "https://mcp.example.com/mcp" };

/** What the registry's schema 2025-12-11 says of the fields that an entry of ours has. Other fields would be a mistake. */
const input = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  isRequired: z.boolean().optional(),
  isSecret: z.boolean().optional(),
  value: z.string().optional(),
});
const header = input.extend({ name: z.string(), variables: z.record(z.string(), input).optional() });
const ServerDetail = z.strictObject({
  $schema: z.literal("https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"),
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: z
    .string()
    .max(255)
    .regex(/^\d+\.\d+\.\d+$/),
  websiteUrl: z.url(),
  remotes: z.array(
    z.strictObject({
      type: z.literal("streamable-http"),
      url: z.string().regex(/^https?:\/\/\S+$/),
      headers: z.array(header).optional(),
    }),
  ),
});

describe("the registry's entry", () => {
  test.each(["oauth", "jwt", "none"] as const)("names the endpoint alone with auth %s", (auth) => {
    const entry = ServerDetail.parse(registryEntry({ ...TARGET, auth }));
    expect(entry.name).toBe("com.example.mcp/mcp-edge");
    expect(entry.remotes).toEqual([{ type: "streamable-http", url: TARGET.url }]);
  });

  test("has clients ask for the token, and keep it as a secret, with auth token", () => {
    const [remote] = ServerDetail.parse(registryEntry({ ...TARGET, auth: "token" })).remotes;
    expect(remote?.headers).toMatchObject([
      {
        name: "Authorization",
        value: "Bearer {token}",
        isSecret: true,
        variables: { token: { isRequired: true, isSecret: true } },
      },
    ]);
  });

  test("is refused for a server that only clients with its own roots trust", () => {
    expect(() => registryEntry({ ...TARGET, stack: "local", rootsFile: "/r.pem" })).toThrow(
      "Clients do not trust the certificate of stack local",
    );
  });
});
