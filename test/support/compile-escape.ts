import wabt from "wabt";

/** @param text WebAssembly text, with 128-bit SIMD */
export async function compiledEscape(text: string): Promise<Uint8Array> {
  const module = (await wabt()).parseWat("escape.wat", text, { simd: true });
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}
