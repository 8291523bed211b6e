import { readFile, writeFile } from "node:fs/promises";
import { compiledEscape } from "./compile-escape.ts";

/** `npm run wasm`: compiles server/json/escape.wat. */
const file = (name: string) => new URL(`../../server/json/${name}`, import.meta.url);
const binary = await compiledEscape(await readFile(file("escape.wat"), "utf8"));
await writeFile(
  file("escape-module.ts"),
  `/** escape.wat as WebAssembly, by \`npm run wasm\`. */
export const ESCAPE_MODULE =
  "${Buffer.from(binary).toString("base64")}";
`,
);
