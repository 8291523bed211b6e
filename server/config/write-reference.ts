import { readFile, writeFile } from "node:fs/promises";
import { Environment } from "./environment.ts";
import { withEnvironmentTables } from "./reference.ts";

/** `npm run docs`: writes the tables of docs/server.md. */
const page = new URL("../../docs/server.md", import.meta.url);
await writeFile(page, withEnvironmentTables(await readFile(page, "utf8"), Environment));
