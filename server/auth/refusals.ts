import { createHmac, randomBytes } from "node:crypto";
import { networkOf } from "../http/network.ts";

/** Response header that names a refused credential to the edge, which logs it for fail2ban and takes it off the answer. */
export const REFUSED_CREDENTIAL = "x-refused-credential";

/** How long a named credential is not named again for the same network, milliseconds. */
const NAMED_FOR_MS = 3_600_000;

/**
 * Which credentials were refused lately, and from which network: a client that repeats a dead token is one refusal, not a thousand, so that
 * it does not get everybody behind its address banned; somebody who guesses tokens is many.
 *
 * Holds no credential: only a hash by a key of this process.
 */
export class Refusals {
  readonly #key = randomBytes(32);
  /** When each was named first, oldest first. */
  readonly #named = new Map<string, number>();
  readonly #max: number;
  readonly #now: () => number;

  /** @param options.max refusals kept, some 150 bytes each; default 50,000 */
  constructor(options: { max?: number; now?: () => number } = {}) {
    this.#max = options.max ?? 50_000;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#named.size;
  }

  /**
   * @param credential the whole `Authorization` header
   * @param address the client's, IPv4 or IPv6
   * @returns 12 hex digits for the log; undefined when the credential was named for this network within the last hour
   */
  name(credential: string, address: string): string | undefined {
    const now = this.#now();
    this.#forget(now);
    const hash = createHmac("sha256", this.#key).update(credential).digest("hex").slice(0, 12);
    const entry = `${networkOf(address)} ${hash}`;
    if (this.#named.has(entry)) return undefined;
    this.#named.set(entry, now);
    return hash;
  }

  #forget(now: number): void {
    for (const [entry, at] of this.#named) {
      if (now - at < NAMED_FOR_MS && this.#named.size < this.#max) return;
      this.#named.delete(entry);
    }
  }
}
