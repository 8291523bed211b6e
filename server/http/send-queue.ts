/** The pieces of one event stream that its client has not read yet, in order. */
export class SendQueue {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** Bytes in the queue. */
  get bytes(): number {
    return this.#bytes;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
  }

  /**
   * Removes whole pieces from the front and joins them.
   *
   * @param most the longest result, bytes. The first piece is returned whatever its length. Default: no limit
   * @returns undefined if the queue is empty
   */
  shift(most = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    let count = 0;
    let size = 0;
    for (const piece of this.#pieces) {
      if (count > 0 && size + piece.byteLength > most) break;
      size += piece.byteLength;
      count++;
    }
    if (count === 0) return undefined;
    const removed = this.#pieces.splice(0, count);
    this.#bytes -= size;
    return removed.length === 1 ? removed[0] : Buffer.concat(removed);
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}
