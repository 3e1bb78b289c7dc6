const LEARNT_MAX = 60;
const ID = /\b[a-z]{2,4}_[0-9a-f]{32}\b/g;

/**
 * Texts that mean something to the services: ids, etags, names of agent types. Refusing nonsense at the door is easy;
 * with these some of it gets further in. Ids that are given out on the way are learnt, the newest ones kept.
 */
export class KnownTexts {
  readonly #fixed: readonly string[];
  readonly #learnt: string[] = [];
  #next = 0;

  constructor(fixed: readonly string[]) {
    this.#fixed = fixed;
  }

  /** One of them: any number stands for one. */
  pick(number: number): string {
    const all = this.#fixed.length + this.#learnt.length;
    const place = number % all;
    return this.#fixed[place] ?? this.#learnt[place - this.#fixed.length] ?? "";
  }

  /** Takes note of the ids in what somebody was told. */
  learnFrom(text: string): void {
    for (const [id] of text.matchAll(ID)) if (!this.#learnt.includes(id)) this.#learnt[this.#next++ % LEARNT_MAX] = id;
  }
}
