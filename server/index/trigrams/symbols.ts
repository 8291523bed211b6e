/** Letters that simple case folding joins although their other case has several letters, or none. */
const FOLDED: ReadonlyMap<number, number> = new Map([
  [0x1fd3, 0x0390],
  [0x1fe3, 0x03b0],
  [0xfb05, 0xfb06],
]);

/**
 * Symbols of the trigrams: each UTF-16 code unit becomes one byte, so that a trigram has 24 bits. Letters that differ only in case have the
 * same symbol, and so may unrelated characters beyond ASCII. A trigram is therefore only a filter, for searches with and without case.
 */
export const SYMBOLS = makeSymbols();

/** The symbol of what no trigram contains: line breaks, and surrogates, whose case depends on both of them. */
const BREAK = 0;

function makeSymbols(): Uint8Array {
  const symbols = new Uint8Array(0x10000);
  for (let unit = 1; unit < symbols.length; unit++) {
    if (unit === 0x0a || unit === 0x0d || (unit >= 0xd800 && unit <= 0xdfff)) continue;
    const folded = fold(unit);
    symbols[unit] = folded < 0x80 ? folded : 0x80 | ((folded ^ (folded >> 7)) & 0x7f);
  }
  return symbols;
}

/** The same for all letters that differ only in case: at least those that simple case folding joins (CaseFolding.txt of Unicode). */
function fold(unit: number): number {
  const joined = FOLDED.get(unit);
  if (joined !== undefined) return joined;
  const upper = String.fromCharCode(unit).toUpperCase();
  const lower = (upper.length === 1 ? upper : String.fromCharCode(unit)).toLowerCase();
  return lower.length === 1 ? lower.charCodeAt(0) : unit;
}

/** Largest trigram, plus one. */
const TRIGRAMS = 1 << 24;

/** Collects the distinct trigrams of texts. It takes 16 MiB, so that it is made once for many texts. */
export class TrigramCollector {
  readonly #seen = new Uint8Array(TRIGRAMS);
  #found = new Uint32Array(4_096);

  /** @returns the distinct trigrams, in no order; valid until the next call */
  of(text: string): Uint32Array {
    const seen = this.#seen;
    let found = this.#found;
    let count = 0;
    let trigram = 0;
    /** Number of symbols since the last break. */
    let run = 0;
    for (let at = 0; at < text.length; at++) {
      const symbol = SYMBOLS[text.charCodeAt(at)] as number;
      if (symbol === BREAK) {
        run = 0;
        continue;
      }
      trigram = ((trigram << 8) | symbol) & 0xffffff;
      if (++run < 3 || seen[trigram] === 1) continue;
      seen[trigram] = 1;
      if (count === found.length) {
        const larger = new Uint32Array(count * 2);
        larger.set(found);
        this.#found = found = larger;
      }
      found[count++] = trigram;
    }
    for (let n = 0; n < count; n++) seen[found[n] as number] = 0;
    return found.subarray(0, count);
  }
}

/** The trigrams of a literal in the order of their places; none if it is shorter than three characters. */
export function trigramsOf(text: string): number[] {
  const found = new Set<number>();
  let trigram = 0;
  let run = 0;
  for (let at = 0; at < text.length; at++) {
    const symbol = SYMBOLS[text.charCodeAt(at)] as number;
    run = symbol === BREAK ? 0 : run + 1;
    trigram = ((trigram << 8) | symbol) & 0xffffff;
    if (run >= 3) found.add(trigram);
  }
  return [...found];
}
