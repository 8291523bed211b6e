/** A list of ascending ids as bytes: the differences, each in groups of seven bits, the lowest first (LEB128). */
export function encodeIds(ids: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(ids.length * 5);
  let end = 0;
  let before = 0;
  for (const id of ids) {
    let rest = id - before;
    before = id;
    for (; rest > 0x7f; rest >>>= 7) bytes[end++] = (rest & 0x7f) | 0x80;
    bytes[end++] = rest;
  }
  return bytes.subarray(0, end);
}

export function decodeIds(bytes: Uint8Array): Uint32Array {
  const ids = new Uint32Array(bytes.length);
  let count = 0;
  let id = 0;
  let value = 0;
  let shift = 0;
  for (const byte of bytes) {
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte > 0x7f) continue;
    id += value;
    ids[count++] = id;
    value = 0;
    shift = 0;
  }
  return ids.subarray(0, count);
}

/** The ids that are in both lists. Both are ascending. */
export function intersection(a: Uint32Array, b: Uint32Array): Uint32Array {
  const both = new Uint32Array(Math.min(a.length, b.length));
  let count = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const one = a[i] as number;
    const other = b[j] as number;
    if (one === other) both[count++] = one;
    if (one <= other) i++;
    if (other <= one) j++;
  }
  return both.subarray(0, count);
}

/** One list of lists that follow each other. */
export function concatenation(lists: readonly Uint32Array[]): Uint32Array {
  if (lists.length === 1 && lists[0]) return lists[0];
  const all = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let end = 0;
  for (const list of lists) {
    all.set(list, end);
    end += list.length;
  }
  return all;
}

/** The ids that are in any of the lists, ascending. */
export function union(lists: readonly Uint32Array[]): Uint32Array {
  const all = concatenation(lists).slice().sort();
  return all.filter((id, n) => n === 0 || id !== all[n - 1]);
}
