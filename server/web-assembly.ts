/** The JavaScript API of WebAssembly, as far as the server uses it. @types/node does not have it. */
interface WebAssemblyApi {
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
  /** Whether the binary is a module that this processor can run. */
  validate(binary: Uint8Array): boolean;
}

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };
