import type { CodeSymbol } from "../code-symbol.ts";
import type { Language } from "../languages.ts";

/** A file of Vue, Svelte or Astro is a component with the name of the file. @returns undefined for other languages */
export function componentOf(path: string, language: Language, lines: number): CodeSymbol | undefined {
  if (language.container !== "markup" || language.name === "html") return undefined;
  const file = path.slice(path.lastIndexOf("/") + 1);
  return {
    name: file.slice(0, file.lastIndexOf(".")),
    kind: "class",
    parent: "",
    start_line: 1,
    line: 1,
    column: 1,
    end_line: Math.max(1, lines),
    signature: `${language.name} component ${file}`,
  };
}
