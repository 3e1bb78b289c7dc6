import type { ContextKey, ContextValues } from "@connectrpc/connect";

/** What interceptors keep for a call. There is seldom more than one value, so a list is all it takes. */
export class CallValues implements ContextValues {
  readonly #entries: [id: symbol, value: unknown][] = [];

  get<T>(key: ContextKey<T>): T {
    for (const [id, value] of this.#entries) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was set with a key of this type
      if (id === key.id) return value as T;
    }
    return key.defaultValue;
  }

  set<T>(key: ContextKey<T>, value: T): this {
    this.delete(key);
    this.#entries.push([key.id, value]);
    return this;
  }

  delete(key: ContextKey<unknown>): this {
    const at = this.#entries.findIndex(([id]) => id === key.id);
    if (at !== -1) this.#entries.splice(at, 1);
    return this;
  }
}
