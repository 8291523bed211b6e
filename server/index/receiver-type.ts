/** What the declaration of a name says about the type of its value. */
export interface DeclaredType {
  /** The type that the declaration names; LITERAL for a number, text or list; undefined if it names none. */
  type: string | undefined;
  /** The function whose result the name gets, if it names no type. */
  call: string | undefined;
}

/** The type of a literal. No definition has this name. */
export const LITERAL = "[]";

interface Declaration extends DeclaredType {
  index: number;
}

const PATH = "(?:[\\p{L}_$][\\p{L}\\p{N}_$]*(?:\\.|::))*";
const NAME = "[\\p{L}_$][\\p{L}\\p{N}_$]*";
/** Types around the one that counts: `Optional[Text]`, `Promise<Reply>`. */
const WRAPPED =
  "(?:(?:Optional|Promise|Awaited|Pick|Omit|NonNullable|Readonly|Partial|Required|Final|ClassVar|Annotated|Type|type)[<[]\\s*)?";
const BUILTIN =
  "int|str|bytes|float|bool|list|dict|set|tuple|object|frozenset|bytearray|string|number|boolean|any|error";

/**
 * Finds the type of names from their nearest declarations in a text: `name: Type`, `name = new Type(`, `name = call(`, `with Type() as name`, and
 * `name Type` in Go.
 *
 * @param grammar the name of the language's grammar
 * @returns the type of a name at an index of the text; the declaration before the place counts, else the first one behind it
 */
export function receiverTypes(
  text: string,
  grammar: string,
): (name: string, index: number) => DeclaredType | undefined {
  const known = new Map<string, Declaration[]>();
  return (name, index) => {
    if (/^(?:this|self|super|cls)$/.test(name)) return undefined;
    let all = known.get(name);
    if (!all) {
      all = declarationsOf(text, name, grammar);
      known.set(name, all);
    }
    const isBefore = (one: Declaration) =>
      one.index < index && (grammar === "python" || isOpen(text, one.index, index));
    return all.findLast(isBefore) ?? all.find((one) => one.index > index) ?? all[0];
  };
}

/** Longest text between a declaration and a use whose braces are counted, characters. */
const MAX_SCANNED = 20_000;

/** Whether the block of a declaration is still open at a place. A parameter belongs to the block that follows it. */
function isOpen(text: string, from: number, to: number): boolean {
  if (to - from > MAX_SCANNED) return true;
  let parentheses = 0;
  let braces = 0;
  let isParameter = false;
  for (let n = from; n < to; n++) {
    const char = text.charCodeAt(n);
    if (char === OPEN) parentheses++;
    else if (char === CLOSE && braces === 0 && --parentheses < 0) isParameter = true;
    else if (char === OPEN_BRACE) braces++;
    else if (char === CLOSE_BRACE && --braces < (isParameter ? 1 : 0)) return false;
  }
  return true;
}

const [OPEN, CLOSE, OPEN_BRACE, CLOSE_BRACE] = [..."(){}"].map((char) => char.charCodeAt(0));

function declarationsOf(text: string, name: string, grammar: string): Declaration[] {
  const own = `(?<![\\p{L}\\p{N}_$])${name.replaceAll("$", "\\$")}(?![\\p{L}\\p{N}_$])`;
  const found: Declaration[] = [];
  for (const pattern of patternsOf(own, grammar))
    for (const { index, groups = {} } of text.matchAll(new RegExp(pattern, "gu"))) {
      const { type, call, literal } = groups;
      found.push({ index, type: literal === undefined ? type : LITERAL, call });
    }
  return found.sort((a, b) => a.index - b.index);
}

function patternsOf(own: string, grammar: string): string[] {
  const literal = `(?<literal>["'\`\\[\\d]${grammar === "python" ? "|\\{|[rbf]+[\"']" : ""})`;
  const start = `${own}(?:\\s*,\\s*[\\p{L}_][\\p{L}\\p{N}_]*)*\\s*:?=(?![=>])\\s*`;
  const generic = "(?:\\[[^\\[\\]\\n]*\\]|<[^<>\\n]*>)?";
  const constructed =
    grammar === "go"
      ? `(?:&?${PATH}(?<type>${NAME})${generic}\\{|${PATH}(?<call>${NAME})${generic}\\()`
      : `(?:await\\s+)?(?:new\\s+|[&*])?${PATH}(?:(?<type>\\p{Lu}[\\p{L}\\p{N}_$]*)|(?<call>${NAME}))${generic}[({]`;
  const assigned = [`${start}${constructed}`, `${own}\\s*(?::[^=\\n]*)?:?=(?![=>])\\s*${literal}`];
  const typed = `${own}[?!]?\\s*:\\s*["']?(?:readonly\\s+)?(?:[*&]\\s*(?:mut\\s+)?)?${WRAPPED}${PATH}(?<type>\\p{Lu}[\\p{L}\\p{N}_$]*|(?:${BUILTIN})(?![\\p{L}\\p{N}_$]))`;
  if (grammar === "go")
    return [
      ...assigned,
      `${own}[ \\t]+(?:\\.\\.\\.)?\\*?(?:[\\p{L}_][\\p{L}\\p{N}_]*\\.)?(?<type>[\\p{L}_][\\p{L}\\p{N}_]*)(?=[\\s,)[{\`=;])`,
      `${own}[ \\t]+(?<literal>\\[|map\\[|func\\(|chan[ \\t])`,
    ];
  if (grammar === "python")
    return [
      typed,
      ...assigned,
      `\\bwith\\s+${PATH}(?<type>\\p{Lu}[\\p{L}\\p{N}_]*)\\([^\\n]*\\)\\s+as\\s+${own}`,
    ];
  if (/^(?:java|c-sharp|cpp|c|dart|objc)$/.test(grammar))
    return [
      ...assigned,
      `(?<![.\\p{L}\\p{N}_])(?<type>\\p{Lu}[\\p{L}\\p{N}_]*)(?:<[^<>]*>)?[*&\\s]+${own}\\s*[=;,)]`,
    ];
  return [typed, ...assigned];
}

/** The type that a function's signature says that it returns. */
export function returnType(signature: string, family: string | undefined): string | undefined {
  const pattern =
    family === "go"
      ? /\)\s*\(?\s*\*?(?:[\p{L}_]\w*\.)?([\p{L}_][\p{L}\p{N}_]*)\s*(?:[,){]|$)/u
      : family === "python" || family === "rust"
        ? /->\s*["']?(?:Optional\[\s*["']?|Box<|Result<)?&?(?:[\p{L}_]\w*(?:\.|::))*([\p{L}_][\p{L}\p{N}_]*)/u
        : /\)\s*:\s*(?:Promise<)?(?!Promise<)(?:[\p{L}_$]\w*\.)*([\p{L}_$][\p{L}\p{N}_$]*)/u;
  return pattern.exec(signature)?.[1];
}
