// The inbox of a link
//
// Frames of one connection are taken in one after the other, in the order in which they came, whatever each of them costs.
// What waits is bounded: over the mark the socket is not read any more until half of it is worked off, so that a fast
// editor fills its own buffers and the kernel's, not ours. Nothing is dropped.

/** How much may wait before the sender has to. */
export interface InboxMarks {
  readonly framesMax: number;
  readonly charactersMax: number;
}

/** What an inbox needs of its socket, and of whoever takes the frames in. */
export interface InboxOptions extends InboxMarks {
  /** Takes one frame in. Never rejects. */
  readonly take: (frame: string) => Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
}

/** Frames that wait to be taken in. */
export class Inbox {
  readonly #options: InboxOptions;
  #waiting: string[] = [];
  #characters = 0;
  #paused = false;
  #working: Promise<void> | null = null;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Whether the socket is not read because too much waits. */
  get paused(): boolean {
    return this.#paused;
  }

  add(frame: string): void {
    this.#waiting.push(frame);
    this.#characters += frame.length;
    if (!this.#paused && this.#isOver(1)) {
      this.#paused = true;
      this.#options.pause();
    }
    this.#working ??= this.#work();
  }

  /** Resolves when everything that has come so far is taken in. */
  async empty(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    // A batch at a time: taking frames off the front of a long array one by one would cost its length each time.
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const [index, frame] of batch.entries()) {
        await this.#options.take(frame);
        this.#characters -= frame.length;
        this.#resumeIfWorkedOff(batch.length - index - 1);
      }
    }
    this.#working = null;
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
