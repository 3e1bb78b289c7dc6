// Prepared statements, without anybody asking for them
//
// PostgreSQL parses and plans a statement each time that it comes without a name; for reading one row by its key, that is
// more work than the reading. So a connection gives a name to a text that comes again and again, and the server keeps
// what it made of it.
//
// Statements that have their values in the text, as the ORM's have, never come often enough. The names of a connection are
// few, because each costs the server memory for as long as the connection lives.
//
// A migration of a newer process may change what a prepared statement gives. PostgreSQL refuses it then (see
// `isStalePlan`), and the connection forgets all of its names.

import type { PoolClient } from "pg";

const NAMES_MAX = 100;
const CANDIDATES_MAX = 200;
/** A text is named when it comes for the third time. */
const SIGHTINGS = 3;
const TEXT_LENGTH_MAX = 8_000;

/** The names that one connection gives to its statements. */
export class StatementNames {
  static readonly #byClient = new WeakMap<PoolClient, StatementNames>();
  #names = new Map<string, string>();
  readonly #candidates = new Map<string, number>();
  #given = 0;

  /** The names of a connection. */
  static of(client: PoolClient): StatementNames {
    const known = StatementNames.#byClient.get(client) ?? new StatementNames();
    StatementNames.#byClient.set(client, known);
    return known;
  }

  /** The name of a statement that is worth one. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (this.#names.size === NAMES_MAX || text.length > TEXT_LENGTH_MAX) return undefined;
    const sightings = (this.#candidates.get(text) ?? 0) + 1;
    if (sightings < SIGHTINGS) this.#await(text, sightings);
    else return this.#name(text);
    return undefined;
  }

  /** Lets all statements be prepared anew, under new names. */
  forget(): void {
    this.#names = new Map();
  }

  /** Lets a statement come to another name, which may be prepared already or not. */
  drop(text: string): void {
    this.#names.delete(text);
  }

  #await(text: string, sightings: number): void {
    // Whatever was there often enough would be named by now.
    if (this.#candidates.size >= CANDIDATES_MAX) this.#candidates.clear();
    this.#candidates.set(text, sightings);
  }

  #name(text: string): string {
    this.#candidates.delete(text);
    const name = `statement_${++this.#given}`;
    this.#names.set(text, name);
    return name;
  }
}
