import { setFlagsFromString } from "node:v8";
import { WebAssembly } from "../web-assembly.ts";

/**
 * V8's optimizing compiler takes some 3 KB of memory for each byte of a WebAssembly function, and the lexers of grammars are single functions
 * of up to 370 KB. The one of Markdown took 435 MB for two seconds, that of PowerShell more than a server has. Functions above this limit stay
 * with the code of the baseline compiler. Bytes.
 */
const MAX_OPTIMIZED = 40_000;
/** The id of the code section. */
const CODE = 10;
/** Compiles all functions at once by the baseline compiler, without the checks that count how often they run. */
const BASELINE = ["--no-wasm-dynamic-tiering", "--no-wasm-tier-up", "--no-wasm-lazy-compilation"];
const NORMAL = BASELINE.map((flag) => flag.replace("--no-", "--"));

/**
 * Compiles a module so that V8 does not optimize it, if it has a function above the limit. V8 finds what it has compiled by the bytes, so the
 * module has to be kept until the same bytes are instantiated. V8 reads these flags when it compiles a module, but they belong to the process: a
 * module that another thread compiles in the same moment is not optimized either.
 *
 * @returns undefined if V8 may optimize all functions
 */
export function baselineModule(wasm: Uint8Array<ArrayBuffer>): object | undefined {
  if (largestFunction(wasm) <= MAX_OPTIMIZED) return undefined;
  for (const flag of BASELINE) setFlagsFromString(flag);
  try {
    return new WebAssembly.Module(wasm);
  } finally {
    for (const flag of NORMAL) setFlagsFromString(flag);
  }
}

/** The size of the largest function, bytes (WebAssembly core specification, "Binary format", code section); 0 if there is none. */
export function largestFunction(wasm: Uint8Array): number {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < wasm.length) {
    const section = wasm[at++];
    const end = number() + at;
    if (section !== CODE) {
      at = end;
      continue;
    }
    let largest = 0;
    for (let count = number(); count > 0 && at < wasm.length; count--) {
      const size = number();
      largest = Math.max(largest, size);
      at += size;
    }
    return largest;
  }
  return 0;
}
