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

/** The index of the first character of each line. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return starts;
}

/** The line with an index, 1-based. @param starts see lineStarts */
export function lineOf(starts: readonly number[], index: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= index) low = middle;
    else high = middle;
  }
  return low + 1;
}
