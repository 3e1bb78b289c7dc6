import type { EntityManager } from "@mikro-orm/postgresql";
import type { LogKind } from "./thread-log.ts";

/** A resource of a thread that changed. */
export interface LogRow {
  readonly kind: LogKind;
  readonly refId: string;
  readonly seq: number;
  readonly deleted: boolean;
}

/** Some rows of a thread's log, and whether there are more. */
export interface LogPage {
  readonly rows: readonly LogRow[];
  readonly more: boolean;
}

const ROWS_MAX = 200;
const CHARACTERS_MAX = 1_048_576;

const READ = `
select l.kind, l.ref_id as "refId", l.seq::text as seq, l.deleted, coalesce(length(e.content), 0) as characters
from thread_log l
left join thread_entries e on l.kind = 'entry' and e.id = l.ref_id
where l.mapping_id = ? and l.seq > ?
order by l.seq limit ?`;

/** Reads what changed after `seq`, at most so much at once that it costs little memory. */
export async function readThreadLog(em: EntityManager, mappingId: string, seq: number): Promise<LogPage> {
  const found = await em.execute<(Omit<LogRow, "seq"> & { seq: string; characters: number })[]>(READ, [
    mappingId,
    seq,
    ROWS_MAX,
  ]);
  let characters = 0;
  const rows = [];
  for (const { kind, refId, seq: text, deleted, characters: length } of found) {
    if (rows.length > 0 && characters + length > CHARACTERS_MAX) break;
    characters += length;
    rows.push({ kind, refId, seq: Number(text), deleted });
  }
  return { rows, more: rows.length === ROWS_MAX || rows.length < found.length };
}
