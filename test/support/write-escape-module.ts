import { readFile, writeFile } from "node:fs/promises";
import { compiledEscape, escapeModuleSource } from "./compile-escape.ts";

/** `npm run wasm`: compiles server/json/escape.wat. */
const file = (name: string) => new URL(`../../server/json/${name}`, import.meta.url);
await writeFile(
  file("escape-module.ts"),
  escapeModuleSource(await compiledEscape(await readFile(file("escape.wat"), "utf8"))),
);
