// A watch's place at the feed
//
// The feed tells each reader when something of its tenant was numbered, and after which number that was. So a reader knows
// without a look into the log that there is nothing for it: between where it has come to and the first thing that it heard
// of. A watch of a quiet tenant costs nothing while another tenant is busy, however far the log runs meanwhile.

import { Doorbell, type Ear } from "@helix-zed/persistence";
import { refuse } from "../domain/reason.ts";
import type { Change } from "./change.ts";
import type { LogBounds } from "./change-reader.ts";

/** A piece of the log and how far it reaches, or that the log does not reach back so far any more. */
export type ChangePage = { readonly changes: readonly Change[]; readonly upTo: number } | "gone";

/** Where a reader reads. */
export interface LogSource {
  bounds(): LogBounds;
  /** What comes after a number; at least one change, unless there is none up to the head. */
  page(after: number): Promise<ChangePage>;
}

/** Where a watch is. */
export interface LogPlace {
  readonly epoch: string;
  readonly seq: number;
}

/** One watch's access to the log. */
export class LogReader {
  readonly tenant: string | null;
  readonly ear: Ear;
  readonly #source: LogSource;
  readonly #onClose: () => void;
  readonly #bell = new Doorbell();
  /** There is nothing between this number and the next one, nor, if that is null, up to the head. */
  #knownFrom: number;
  #newsAfter: number | null = null;

  constructor(source: LogSource, tenant: string | null, onClose: () => void) {
    this.#source = source;
    this.tenant = tenant;
    this.#onClose = onClose;
    this.#knownFrom = source.bounds().head;
    this.ear = this.#bell.listen();
  }

  /** There is something for this reader after a number. */
  hear(after: number): void {
    this.#newsAfter ??= after;
    this.#bell.ring();
  }

  /** The next changes after a place. Refuses if the log is another one, or does not reach back so far. */
  async read({ epoch, seq }: LogPlace): Promise<Exclude<ChangePage, "gone">> {
    const bounds = this.#source.bounds();
    if (epoch !== bounds.epoch) throw anotherLog(bounds);
    const { head } = bounds;
    if (seq >= head) return { changes: [], upTo: seq };
    const from = seq < this.#knownFrom ? seq : Math.max(seq, this.#newsAfter ?? head);
    this.#newsAfter = null;
    const page = from < head ? await this.#source.page(from) : { changes: [], upTo: head };
    if (page === "gone") throw expired(this.#source.bounds());
    if (page.upTo < head) this.#newsAfter = page.upTo;
    else this.#knownFrom = Math.max(this.#knownFrom, page.upTo);
    return page;
  }

  /** Hears no more. */
  close(): void {
    this.ear.close();
    this.#onClose();
  }
}

/** Refuses a place that is not in the log. */
export function requireInLog({ epoch, seq }: LogPlace, log: LogBounds): void {
  if (epoch !== log.epoch) throw anotherLog(log);
  if (seq > log.head) {
    const message = "The resume_token is ahead of the log. Begin with a snapshot.";
    throw refuse("RESUME_TOKEN_FROM_THE_FUTURE", message, endsOf(log));
  }
  if (seq < log.floor) throw expired(log);
}

function anotherLog(log: LogBounds) {
  const message = "The resume_token is of another log. Begin with a snapshot.";
  return refuse("RESUME_TOKEN_FROM_ANOTHER_LOG", message, endsOf(log));
}

function expired(log: LogBounds) {
  const message = "The resume_token is older than the log. Begin with a snapshot.";
  return refuse("RESUME_TOKEN_EXPIRED", message, endsOf(log));
}

function endsOf({ floor, head }: LogBounds) {
  return { oldest: String(floor), newest: String(head) };
}
