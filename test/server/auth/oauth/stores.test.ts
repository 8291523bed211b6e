import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { openOAuthStore } from "../../../../server/auth/oauth/open-oauth-store.ts";
import { OAUTH_FILE } from "../../../../server/auth/oauth/sqlite-oauth-store.ts";
import { temporaryFolder } from "../../support.ts";
import { withEachStore } from "./each-store.ts";
import { contract } from "./store-contract.ts";

withEachStore(contract);

test("its file, which holds the keys, is the server's alone", async () => {
  const folder = await temporaryFolder();
  const dir = join(folder.path, "fresh");
  const store = await openOAuthStore({ storeUrl: undefined, sessionsDir: dir });
  expect((await stat(join(dir, OAUTH_FILE))).mode & 0o777).toBe(0o600);
  await store.close();
  const missing = openOAuthStore({ storeUrl: undefined, sessionsDir: join(folder.path, "no/such") });
  await expect(missing).rejects.toThrow(/install -d .*no\/such/);
  await folder.remove();
});
