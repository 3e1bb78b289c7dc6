import { type FieldViolation, invalidFields } from "./rest-error.ts";

const violationsMax = 20;

/** Collects what is wrong with a request, so that the caller learns everything at once; at most 20 things. */
export class Violations {
  readonly #found: FieldViolation[] = [];

  /** Notes a violation; throws all of them when there are too many to go on. */
  add(field: string, description: string): void {
    this.#found.push({ field, description });
    if (this.#found.length >= violationsMax) this.throwIfAny();
  }

  /** Throws INVALID_ARGUMENT if anything was found. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw invalidFields(this.#found);
  }
}
