/** What one event stream has to send and its client has not taken yet, as pieces in order. */
export class SendQueue {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
  }

  /**
   * Takes whole pieces from the front, joined into one.
   *
   * @param most stops before the piece that would make it longer, bytes; the first piece is taken whatever its length
   * @returns undefined when nothing waits
   */
  take(most = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    let count = 0;
    let size = 0;
    for (const piece of this.#pieces) {
      if (count > 0 && size + piece.byteLength > most) break;
      size += piece.byteLength;
      count++;
    }
    if (count === 0) return undefined;
    const taken = this.#pieces.splice(0, count);
    this.#bytes -= size;
    return taken.length === 1 ? taken[0] : Buffer.concat(taken);
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}
