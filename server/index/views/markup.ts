/** A part of the file that stays in its view; the end is exclusive. */
interface Range {
  start: number;
  end: number;
  /** What the view has there, if the code spells it in another way. Not longer than the range. */
  text?: string;
}

/** Longest expression in a template, characters. */
const MAX_EXPRESSION = 2_000;
const SCRIPT_TYPES = /^(?:module|(?:text|application)\/(?:javascript|ecmascript|babel|jsx|typescript))?$/i;

/**
 * The scripts of a page or component (HTML, Vue, Svelte, Astro), with what its template names as statements: expressions, components,
 * directives. A script ends as in HTML: at the first `</script`.
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
  const code = keepOnly(text, kept);
  return { code: format === "svelte" ? withoutStoreSigns(code) : code, isJsx };
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

const COMPONENT = /<(?<component>[A-Z][\w$]*)/.source;
/** `{{ expression }}`, `:name="expression"`, `<MyButton`, `<my-button`, `v-focus`, `:name` for `:name="name"`. */
const VUE = new RegExp(
  [
    `\\{\\{(?<text>(?:(?!\\{\\{)[^]){0,${MAX_EXPRESSION}}?)\\}\\}`,
    `\\s(?:[:@#]|v-)[^\\s=>"']{0,200}=(?:"(?<double>[^"]{0,${MAX_EXPRESSION}})"|'(?<single>[^']{0,${MAX_EXPRESSION}})')`,
    COMPONENT,
    "<(?<pascal>[a-z][a-z0-9]*(?:-[a-z0-9]+)+)",
    "\\s(?<camel>v-(?!if|else|for|on|bind|model|show|slot|text|html|once|pre|cloak|memo)[a-z][\\w-]*)",
    "\\s:(?<same>[a-z][\\w-]*)(?=[\\s/>])",
  ].join("|"),
  "dg",
);

function templateRanges(text: string, format: string, { start, end }: Range): Range[] {
  if (format === "html") return [];
  if (format !== "vue") return braceRanges(text, start, end);
  const ranges: Range[] = [];
  VUE.lastIndex = start;
  for (let match = VUE.exec(text); match && match.index < end; match = VUE.exec(text)) {
    const [name, at] = Object.entries(match.indices?.groups ?? {}).find(([, range]) => range) ?? [];
    if (!name || !at || at[1] > end) continue;
    const [from, to] = at;
    const written = text.slice(from, to);
    const camel = written.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    const spelled = {
      pascal: camel.charAt(0).toUpperCase() + camel.slice(1),
      camel,
      same: camel,
    }[name];
    ranges.push({ start: from, end: to, ...(spelled === undefined ? {} : { text: spelled }) });
    // A directive may have a value: `v-focus="x"`.
    VUE.lastIndex = to;
  }
  return ranges;
}

/** `use:action`, `transition:fade`, `bind:value` for `bind:value={value}`. */
const DIRECTIVE =
  /\s(?:(?:use|transition|in|out|animate):(?<named>[\p{L}_$][\w$]*)|(?:bind|class|style):(?<same>[\p{L}_$][\w$]*)(?=[\s/>]))/u
    .source;

/** The expressions in braces of Svelte and Astro. `{#each list as item}` has the expression `list as item`. */
function braceRanges(text: string, start: number, end: number): Range[] {
  const ranges: Range[] = [];
  const next = new RegExp(`\\{|${COMPONENT}|${DIRECTIVE}`, "dgu");
  next.lastIndex = start;
  for (let match = next.exec(text); match && match.index < end; match = next.exec(text)) {
    const name = Object.values(match.indices?.groups ?? {}).find((range) => range);
    if (name) {
      ranges.push({ start: name[0], end: name[1] });
      continue;
    }
    const inner = match.index + 1;
    const close = closingBrace(text, inner, end);
    if (close === undefined) break;
    const keyword =
      /^(?:[#:/@][a-z]+(?:\s+if)?)?/.exec(text.slice(inner, Math.min(close, inner + 20)))?.[0] ?? "";
    ranges.push({ start: inner + keyword.length, end: close });
    next.lastIndex = close + 1;
  }
  return ranges;
}

/** `$count` is the value of the store `count`. Runes are no stores. */
const withoutStoreSigns = (code: string) =>
  code.replace(
    /(?<![\p{L}\p{N}_$])\$(?=[\p{L}_])(?!(?:state|derived|props|effect|bindable|inspect|host)(?![\p{L}\p{N}_$]))/gu,
    " ",
  );

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
  for (const { start, end, text: spelled } of ranges) {
    const between = blank(text.slice(code.length, start));
    code += /[\r\n]$/.test(between) || between === "" ? between : `${between.slice(0, -1)};`;
    code += spelled?.padEnd(end - start) ?? text.slice(start, end);
  }
  return code + blank(text.slice(code.length));
}

/** Line breaks stay. */
export const blank = (text: string) => text.replace(/[^\r\n]/g, " ");
