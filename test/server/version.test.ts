import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { NAME, VERSION } from "../../server/version.ts";

test("the server reports the package's name and version", async () => {
  const { name, version } = JSON.parse(
    await readFile(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect([NAME, VERSION]).toEqual([name, version]);
});
