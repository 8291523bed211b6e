import { blank } from "./markup.ts";

/**
 * SQL without comments and strings. A text between dollar signs stays: it is the body of a function. So do quoted identifiers. A block
 * comment may contain others (PostgreSQL, section 4.1.5).
 */
export function sqlView(text: string): string {
  // Only MySQL quotes names with a backtick. There each string may have backslashes; elsewhere `'C:\'` is a string.
  const isMysql = text.includes("`");
  const sign = /--|\/\*|(?<![\p{L}\p{N}_])[eE]'|'|["`]/gu;
  let code = "";
  let from = 0;
  for (let match = sign.exec(text); match; match = sign.exec(text)) {
    const { 0: opening, index } = match;
    const end = endOf(text, isMysql && opening === "'" ? "e'" : opening.toLowerCase(), sign.lastIndex);
    code += text.slice(from, index);
    code += /["`]/.test(opening) ? text.slice(index, end) : blank(text.slice(index, end));
    from = end;
    sign.lastIndex = end;
  }
  return code + text.slice(from);
}

/** The index behind a comment or a quoted text. @param start the index behind what opens it */
function endOf(text: string, opening: string, start: number): number {
  if (opening === "/*") return endOfComment(text, start);
  const rest = RESTS[opening];
  if (!rest) return text.length;
  rest.lastIndex = start;
  return rest.test(text) ? rest.lastIndex : text.length;
}

function endOfComment(text: string, start: number): number {
  const sign = /\/\*|\*\//g;
  sign.lastIndex = start;
  for (let depth = 1, match = sign.exec(text); match; match = sign.exec(text)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return sign.lastIndex;
  }
  return text.length;
}

/** What follows an opening, up to its end. A quote in a quoted text is doubled. */
const RESTS: Record<string, RegExp> = {
  "--": /[^\n]*/y,
  "'": /[^']*(?:''[^']*)*'/y,
  "e'": /[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'/y,
  '"': /[^"]*(?:""[^"]*)*"/y,
  "`": /[^`]*(?:``[^`]*)*`/y,
};
