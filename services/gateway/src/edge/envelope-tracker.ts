const prefixLength = 5;

/**
 * Follows the envelopes of a gRPC, gRPC-Web or Connect stream (one byte of flags, four of length, then the message) as
 * its bytes go by, and knows whether they stand between two messages: only there can something be added.
 */
export class EnvelopeTracker {
  readonly #prefix = Buffer.alloc(prefixLength);
  #prefixFilled = 0;
  #messageLeft = 0;

  /** Is everything that was begun complete? */
  get isBetweenMessages(): boolean {
    return this.#prefixFilled === 0 && this.#messageLeft === 0;
  }

  /** Takes note of the next bytes. */
  push(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      offset += this.#messageLeft > 0 ? this.#skipMessage(chunk, offset) : this.#takePrefix(chunk, offset);
    }
  }

  #skipMessage(chunk: Uint8Array, offset: number): number {
    const skipped = Math.min(this.#messageLeft, chunk.length - offset);
    this.#messageLeft -= skipped;
    return skipped;
  }

  #takePrefix(chunk: Uint8Array, offset: number): number {
    const taken = chunk.subarray(offset, offset + prefixLength - this.#prefixFilled);
    this.#prefix.set(taken, this.#prefixFilled);
    this.#prefixFilled += taken.length;
    if (this.#prefixFilled === prefixLength) {
      this.#messageLeft = this.#prefix.readUInt32BE(1);
      this.#prefixFilled = 0;
    }
    return taken.length;
  }
}
