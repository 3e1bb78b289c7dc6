// The inbox of a link
//
// What one connection brings is taken in one piece after the other, in the order in which it came, whatever each of them
// costs. What waits is bounded: over the mark the socket is not read any more until half of it is worked off, so that a
// fast editor fills its own buffers and the kernel's, not ours. Nothing is dropped.
//
// A piece may have a key: then it says all there is to say of a thing, and a newer one takes the place of an older one
// that still waits. So an entry that grows faster than it can be stored costs as many writes as there is time for. A piece
// without a key is a barrier: nothing that comes after it takes the place of what came before.

/** Something to be taken in. */
export interface Piece {
  /** What it says all about; `null`: it happens once. */
  readonly key: string | null;
  readonly characters: number;
}

/** How much may wait before the sender has to. */
export interface InboxMarks {
  readonly framesMax: number;
  readonly charactersMax: number;
}

/** What an inbox needs of its socket, and of whoever takes the pieces in. */
export interface InboxOptions<P extends Piece> extends InboxMarks {
  /** Takes one piece in. Never rejects. */
  readonly take: (piece: P) => Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
}

interface Slot<P extends Piece> {
  piece: P | null;
  /** Instead of a piece: who waits until everything before is taken in. */
  readonly passed?: () => void;
}

/** What waits to be taken in. */
export class Inbox<P extends Piece> {
  readonly #options: InboxOptions<P>;
  readonly #replaceable = new Map<string, Slot<P>>();
  #waiting: Slot<P>[] = [];
  #characters = 0;
  #paused = false;
  #working: Promise<void> | null = null;

  constructor(options: InboxOptions<P>) {
    this.#options = options;
  }

  /** Whether the socket is not read because too much waits. */
  get paused(): boolean {
    return this.#paused;
  }

  add(piece: P): void {
    this.#characters += piece.characters;
    if (!this.#replace(piece)) this.#waiting.push(this.#slotFor(piece));
    if (!this.#paused && this.#isOver(1)) {
      this.#paused = true;
      this.#options.pause();
    }
    this.#working ??= this.#work();
  }

  /** Resolves when everything that has come so far is taken in. */
  empty(): Promise<void> {
    if (this.#working === null) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ piece: null, passed: resolve });
    return promise;
  }

  #replace(piece: P): boolean {
    const older = piece.key === null ? undefined : this.#replaceable.get(piece.key);
    if (older === undefined) return false;
    this.#characters -= older.piece?.characters ?? 0;
    older.piece = piece;
    return true;
  }

  #slotFor(piece: P): Slot<P> {
    const slot: Slot<P> = { piece };
    if (piece.key === null) this.#replaceable.clear();
    else this.#replaceable.set(piece.key, slot);
    return slot;
  }

  async #work(): Promise<void> {
    // A batch at a time: taking pieces off the front of a long array one by one would cost its length each time.
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const [index, slot] of batch.entries()) {
        await this.#takeOut(slot);
        this.#resumeIfWorkedOff(batch.length - index - 1);
      }
    }
    this.#working = null;
  }

  async #takeOut({ piece, passed }: Slot<P>): Promise<void> {
    passed?.();
    if (piece === null) return;
    // What comes from now on is newer than what is being taken in.
    if (piece.key !== null) this.#replaceable.delete(piece.key);
    await this.#options.take(piece);
    this.#characters -= piece.characters;
  }

  #resumeIfWorkedOff(leftInBatch: number): void {
    if (!this.#paused || this.#isOver(0.5, leftInBatch)) return;
    this.#paused = false;
    this.#options.resume();
  }

  #isOver(share: number, leftInBatch = 0): boolean {
    const { framesMax, charactersMax } = this.#options;
    return this.#waiting.length + leftInBatch > framesMax * share || this.#characters > charactersMax * share;
  }
}
