/** The lines of a text with these numbers, without splitting the whole text. Numbers are 1-based. @returns the lines by number */
export function linesAt(text: string, numbers: readonly number[]): Map<number, string> {
  const found = new Map<number, string>();
  let line = 1;
  let start = 0;
  for (const wanted of [...new Set(numbers)].sort((a, b) => a - b)) {
    for (; line < wanted; line++) {
      const end = text.indexOf("\n", start);
      if (end === -1) return found;
      start = end + 1;
    }
    const end = text.indexOf("\n", start);
    found.set(wanted, text.slice(start, end === -1 ? undefined : end));
  }
  return found;
}
