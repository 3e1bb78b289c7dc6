import type { EntityManager } from "@mikro-orm/postgresql";
import type { ThreadMapping } from "../domain/thread-mapping.ts";

// The log of a thread
//
// One row for each resource of the thread (the mapping itself, its turns, its entries), carrying the number of its newest
// change: a reader that knows everything up to n asks for the rows above n and finds each changed resource once. The
// numbers are the mapping's `log_seq`, drawn while its row is locked, so they are dense in commit order and there is no
// gap that could fill later. Entries that are gone stay as tombstones.

/** What a log row is about. */
export type LogKind = "mapping" | "turn" | "entry";

interface Change {
  readonly kind: LogKind;
  readonly refId: string;
  readonly deleted: boolean;
}

const ranks: Record<LogKind, number> = { mapping: 0, turn: 1, entry: 2 };

const APPEND = `
insert into thread_log (mapping_id, kind, ref_id, seq, deleted)
select mapping_id, kind, ref_id, seq, deleted
from jsonb_to_recordset(?::jsonb) as r (mapping_id text, kind text, ref_id text, seq bigint, deleted boolean)
on conflict (mapping_id, kind, ref_id) do update set seq = excluded.seq, deleted = excluded.deleted`;

/** Collects what a transaction changed in threads that it has locked, and writes it down last. */
export class ThreadLog {
  readonly #em: EntityManager;
  readonly #changes = new Map<ThreadMapping, Map<string, Change>>();

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** The threads that changed. */
  get threads(): readonly ThreadMapping[] {
    return [...this.#changes.keys()];
  }

  /** The mapping itself has changed. */
  mapping(mapping: ThreadMapping): void {
    if (this.#note(mapping, { kind: "mapping", refId: mapping.id, deleted: false })) mapping.version += 1;
  }

  /** A turn has changed, and with it what the mapping says of its turns. */
  turn(mapping: ThreadMapping, turnId: string): void {
    this.#note(mapping, { kind: "turn", refId: turnId, deleted: false });
    this.mapping(mapping);
  }

  /** An entry is new or has changed. */
  entry(mapping: ThreadMapping, entryId: string): void {
    this.#note(mapping, { kind: "entry", refId: entryId, deleted: false });
  }

  /** An entry is gone. */
  entryDeleted(mapping: ThreadMapping, entryId: string): void {
    this.#note(mapping, { kind: "entry", refId: entryId, deleted: true });
  }

  /** Writes all of it. The transaction's last statements. */
  async append(): Promise<void> {
    const rows = [...this.#changes].flatMap(([mapping, changes]) =>
      [...changes.values()].toSorted((a, b) => ranks[a.kind] - ranks[b.kind]).map((change) => rowOf(mapping, change)),
    );
    await this.#em.flush();
    if (rows.length > 0) await this.#em.execute(APPEND, [JSON.stringify(rows)]);
  }

  #note(mapping: ThreadMapping, change: Change): boolean {
    const changes = this.#changes.get(mapping) ?? new Map<string, Change>();
    this.#changes.set(mapping, changes);
    const key = `${change.kind} ${change.refId}`;
    const first = !changes.has(key);
    changes.set(key, change);
    return first;
  }
}

function rowOf(mapping: ThreadMapping, { kind, refId, deleted }: Change): Record<string, unknown> {
  mapping.logSeq += 1;
  return { mapping_id: mapping.id, kind, ref_id: refId, seq: mapping.logSeq, deleted };
}
