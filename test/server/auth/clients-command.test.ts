import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { clientsCommand } from "../../../server/auth/clients-command.ts";
import { temporaryFolder } from "../support.ts";
import { ADA, connect, list, refresh, startOAuth } from "./oauth/support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function clients(...args: string[]): Promise<string> {
  let written = "";
  const command = clientsCommand({ SESSIONS_DIR: folder.path }, (text) => {
    written += text;
  });
  await command.parseAsync(args, { from: "user" });
  return written;
}

test("a client that is removed loses its access, its refresh tokens and the consents that people gave", async () => {
  await using running = await startOAuth({ env: { SESSIONS_DIR: folder.path } });
  const { origin, server } = running;
  const removed = await connect(origin);
  const kept = await connect(origin);
  expect(await clients("list")).toContain(`${removed.client}  Test  by itself, until `);
  expect(await server.consents.remembered(ADA.id, removed.client)).toEqual(["code:read"]);

  expect(JSON.parse(await clients("remove", removed.client, "--json"))).toEqual({
    id: removed.client,
    removed: true,
    connections: 1,
  });
  await server.refresh();
  expect((await list(origin, removed.tokens.access_token)).status).toBe(401);
  expect((await refresh(origin, removed.client, removed.tokens.refresh_token)).status).toBe(401);
  expect(await server.consents.remembered(ADA.id, removed.client)).toBeUndefined();
  expect((await list(origin, kept.tokens.access_token)).status).toBe(200);
  expect(JSON.parse(await clients("list", "--json"))).toMatchObject([{ id: kept.client }]);
  await expect(clients("remove", removed.client)).rejects.toThrow("see: clients list");
});
