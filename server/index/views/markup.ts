/** A part of the file that stays in its view; the end is exclusive. */
interface Range {
  start: number;
  end: number;
}

/** Longest expression in a template, characters. */
const MAX_EXPRESSION = 2_000;
const SCRIPT_TYPES = /^(?:module|(?:text|application)\/(?:javascript|ecmascript|babel|jsx|typescript))?$/i;

/**
 * The scripts of a page or component (HTML, Vue, Svelte, Astro), with the expressions and component names of its template as statements.
 * A script ends as in HTML: at the first `</script`.
 */
export function markupView(text: string, format: string): { code: string; isJsx: boolean } {
  const kept: Range[] = [];
  let isJsx = format === "astro";
  let from = 0;
  const frontmatter = format === "astro" ? /^\s*---\r?\n([\s\S]*?)^---/m.exec(text) : null;
  if (frontmatter?.index === 0) {
    const start = text.indexOf("\n") + 1;
    kept.push({ start, end: frontmatter[0].length - 3 });
    from = frontmatter[0].length;
  }
  const block = /<!--|<(script|style)(?=[\s/>])/gi;
  block.lastIndex = from;
  for (let match = block.exec(text); match; match = block.exec(text)) {
    kept.push(...templateRanges(text, format, { start: from, end: match.index }));
    const name = match[1]?.toLowerCase();
    const end = name === undefined ? endOfComment(text, match.index) : blockAt(text, block.lastIndex, name);
    if (typeof end !== "number") {
      const lang = attribute(end.attributes, "lang");
      if (name === "script" && SCRIPT_TYPES.test(attribute(end.attributes, "type") ?? "")) {
        kept.push({ start: end.start, end: end.end });
        isJsx ||= lang === "tsx" || lang === "jsx";
      }
    }
    from = typeof end === "number" ? end : end.end;
    block.lastIndex = from;
  }
  kept.push(...templateRanges(text, format, { start: from, end: text.length }));
  return { code: keepOnly(text, kept), isJsx };
}

function endOfComment(text: string, start: number): number {
  const end = text.indexOf("-->", start);
  return end === -1 ? text.length : end + 3;
}

/** The content of the block whose attributes begin at an index; the end of the text if its tag is not closed. */
function blockAt(text: string, index: number, name: string): (Range & { attributes: string }) | number {
  const tag = /(?:[^>"']|"[^"]*"|'[^']*')*>/y;
  tag.lastIndex = index;
  const head = tag.exec(text);
  if (!head) return text.length;
  const start = index + head[0].length;
  if (head[0].endsWith("/>")) return start;
  const close = new RegExp(`</${name}(?=[\\s/>])`, "gi");
  close.lastIndex = start;
  return { start, end: close.exec(text)?.index ?? text.length, attributes: head[0] };
}

function attribute(attributes: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i").exec(
    attributes,
  );
  return match?.[1] ?? match?.[2] ?? match?.[3];
}

const COMPONENT = /<([A-Z][\w$]*)/.source;
const VUE = new RegExp(
  `\\{\\{((?:(?!\\{\\{)[\\s\\S]){0,${MAX_EXPRESSION}}?)\\}\\}|\\s(?:[:@#]|v-)[^\\s=>"']{0,200}="([^"]{0,${MAX_EXPRESSION}})"|${COMPONENT}`,
  "dg",
);

function templateRanges(text: string, format: string, { start, end }: Range): Range[] {
  if (format === "html") return [];
  if (format !== "vue") return braceRanges(text, start, end);
  const ranges: Range[] = [];
  VUE.lastIndex = start;
  for (let match = VUE.exec(text); match && match.index < end; match = VUE.exec(text)) {
    const [from, to] = match.indices?.slice(1).find((group) => group !== undefined) ?? [0, 0];
    if (to <= end) ranges.push({ start: from, end: to });
  }
  return ranges;
}

/** The expressions in braces of Svelte and Astro. `{#each list as item}` has the expression `list as item`. */
function braceRanges(text: string, start: number, end: number): Range[] {
  const ranges: Range[] = [];
  const next = new RegExp(`\\{|${COMPONENT}`, "g");
  next.lastIndex = start;
  for (let match = next.exec(text); match && match.index < end; match = next.exec(text)) {
    const inner = match.index + 1;
    if (match[1] !== undefined) {
      ranges.push({ start: inner, end: inner + match[1].length });
      continue;
    }
    const close = closingBrace(text, inner, end);
    if (close === undefined) break;
    const keyword =
      /^(?:[#:/@][a-z]+(?:\s+if)?)?/.exec(text.slice(inner, Math.min(close, inner + 20)))?.[0] ?? "";
    ranges.push({ start: inner + keyword.length, end: close });
    next.lastIndex = close + 1;
  }
  return ranges;
}

function closingBrace(text: string, start: number, end: number): number | undefined {
  const last = Math.min(end, start + MAX_EXPRESSION);
  for (let at = start, depth = 0; at < last; at++) {
    const char = text[at];
    if (char === "{") depth++;
    else if (char === "}" && depth-- === 0) return at;
  }
  return undefined;
}

/** The ranges, in order, with blanks between them. The sign before a range separates statements. */
function keepOnly(text: string, ranges: readonly Range[]): string {
  let code = "";
  for (const { start, end } of ranges) {
    const between = blank(text.slice(code.length, start));
    code += /[\r\n]$/.test(between) || between === "" ? between : `${between.slice(0, -1)};`;
    code += text.slice(start, end);
  }
  return code + blank(text.slice(code.length));
}

/** Line breaks stay. */
export const blank = (text: string) => text.replace(/[^\r\n]/g, " ");
