import { hkdfSync } from "node:crypto";
import { CompactEncrypt, compactDecrypt } from "jose";
import type { CheckToken } from "./identity.ts";

/**
 * Tokens of a provider as the store holds them: encrypted by a key that is derived from the client secret, which the store and its backups do
 * not hold. After the secret was replaced they cannot be read any more, and count as missing.
 */
export class SealedTokens {
  readonly #key: Uint8Array;

  constructor(clientSecret: string) {
    this.#key = new Uint8Array(hkdfSync("sha256", clientSecret, "", "mcp-edge identity provider token", 32));
  }

  seal(token: CheckToken): Promise<string> {
    const text = new TextEncoder().encode(JSON.stringify(token));
    return new CompactEncrypt(text).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(this.#key);
  }

  async open(sealed: string): Promise<CheckToken | undefined> {
    try {
      const options = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };
      const { plaintext } = await compactDecrypt(sealed, this.#key, options);
      return JSON.parse(new TextDecoder().decode(plaintext)) as CheckToken;
    } catch {
      return undefined;
    }
  }
}
