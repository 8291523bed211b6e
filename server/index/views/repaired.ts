import type { Language } from "../languages.ts";

/** Macros that stand where a declaration could: Qt, GLib, Apple, Unreal Engine. */
const MACROS =
  /^([ \t]*)((?:Q_(?:OBJECT|GADGET|NAMESPACE)|GENERATED(?:_[A-Z]+)*_BODY|U(?:CLASS|STRUCT|ENUM|INTERFACE|PROPERTY|FUNCTION))\b(?:\(.*\))?|(?:[A-Z0-9]+_)*_?(?:BEGIN|END)(?:_[A-Z0-9]+)+|[A-Z0-9]+(?:_[A-Z0-9]+)+_(?:BEGIN|END))(?=[ \t]*\r?$)/gm;
const APPLE_ENUM =
  /(\btypedef\s+)?\b((?:NS|CF)_(?:CLOSED_|ERROR_)?(?:ENUM|OPTIONS)\s*\([^,()]*,\s*)(\w+)(\s*\))/g;

const blanks = (text: string) => text.replace(/[^\r\n]/g, " ");

/**
 * A text in which what a grammar cannot parse is replaced by something of the same length that it can: one such place can cost the rest of the
 * file its definitions. Line breaks and names stay where they are.
 */
export function repaired(text: string, { query }: Pick<Language, "query">): string {
  if (query === "kotlin")
    return (
      text
        // The end of the last member of a class on the same line, without a line break or semicolon.
        .replace(/(?<=[^\s;{][^\S\r\n]*)[^\S\r\n](?=\})/g, ";")
        // Names of tests with blanks.
        .replace(/`[^`\r\n]+`/g, (name) => `\`${name.slice(1, -1).replace(/[^\p{L}\p{N}_]/gu, "_")}\``)
    );
  if (query !== "cpp" && query !== "objc") return text;
  const plain = text.replace(MACROS, (_, indent: string, macro: string) => indent + blanks(macro));
  if (query === "cpp") return plain;
  return plain.replace(
    APPLE_ENUM,
    (_, typedef = "", before: string, name: string, after: string) =>
      `${blanks(typedef)}enum${" ".repeat(before.length - 4)}${name}${blanks(after)}`,
  );
}
