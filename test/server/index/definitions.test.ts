import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { GRAMMARS, languageOf } from "../../../server/index/languages.ts";
import { outlineOf } from "../../../server/index/symbols.ts";
import { codeView } from "../../../server/index/views/code-view.ts";

/**
 * Qualified, nested, private, generic and quoted names, operators, modules, packages and namespaces in each language. After an intended
 * change: UPDATE_GOLDEN=1 npm test -- test/server/index/definitions, then read the diff.
 */
const folder = new URL("names/", import.meta.url).pathname;
const golden = join(folder, "expected.txt");

const sources = (await readdir(folder)).filter((name) => name !== "expected.txt").sort();

describe("the definitions of each language", () => {
  test("have their kind, path and lines, with decorators and documentation", async () => {
    const outlines: string[] = [];
    for (const source of sources) outlines.push(await render(source.replace(/\.txt$/, "")));
    const text = outlines.join("\n");
    if (process.env.UPDATE_GOLDEN === "1") await writeFile(golden, text);
    expect(text).toBe(await readFile(golden, "utf8"));
  });

  test("are tried for each grammar except that of regular expressions", async () => {
    const tried = new Set<string>();
    for (const source of sources) {
      const language = languageOf(source.replace(/\.txt$/, ""));
      const text = await readFile(join(folder, source), "utf8");
      if (language) tried.add(`tree-sitter-${codeView(text, language).language.grammar}.wasm`);
    }
    expect(GRAMMARS.filter((grammar) => !tried.has(grammar))).toEqual(["tree-sitter-regex.wasm"]);
  });

  test("of a page or notebook are at the same place as in the file", async () => {
    for (const source of sources) {
      const language = languageOf(source.replace(/\.txt$/, ""));
      const text = await readFile(join(folder, source), "utf8");
      if (!language?.container) continue;
      const lines = text.split("\n");
      expect(
        codeView(text, language)
          .text.split("\n")
          .map(({ length }) => length),
      ).toEqual(lines.map(({ length }) => length));
      for (const { name, line, column } of (await outlineOf(text, language))?.symbols ?? [])
        expect(lines[line - 1]?.slice(column - 1)).toMatch(new RegExp(`^${name}\\b`));
    }
  });
});

async function render(file: string): Promise<string> {
  const language = languageOf(file);
  if (!language) throw new Error(`no language for ${file}`);
  const outline = await outlineOf(await readFile(join(folder, `${file}.txt`), "utf8"), language);
  const declared = outline?.package ? [`  package ${outline.package}`] : [];
  const symbols = (outline?.symbols ?? []).map(({ kind, parent, name, ...at }) => {
    const lines = at.start_line === at.end_line ? at.line : `${at.start_line}-${at.end_line}`;
    return `  ${kind} ${[parent, name].filter(Boolean).join("/")} (${lines})`;
  });
  return [`${file}: ${language.name}`, ...declared, ...symbols, ""].join("\n");
}
