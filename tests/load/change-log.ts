// How many changes a second can be committed and numbered? Three logs, side by side in one run:
//
//   none     the change and its log row, never numbered: what the database can do at most
//   locked   a counter row that is locked from the append to the commit
//   batched  numbered after the commit, by `sequence_changes`, as the task-service does it
//
//    node tests/load/change-log.ts [writers] [seconds]
//
// Figures of one run can be compared with each other, not with those of another machine or another day.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureDatabase, startPostgres } from "@helix-zed/embedded-postgres";
import { migrateTaskService } from "@helix-zed/task-service/migrate";
import { Pool, type PoolClient } from "pg";

const WRITERS = Number(process.argv[2] ?? 16);
const SECONDS = Number(process.argv[3] ?? 4);
const ROUNDS = 3;
const kinds = ["none", "locked", "batched"] as const;
type Kind = (typeof kinds)[number];

const BEFORE = JSON.stringify({ status: "pending" });
const append = `insert into change_log (tenant, kind, ref_id, task_id, before, after)
  select tenant, 'task', id, id, $2, to_jsonb(tasks) from tasks where id = $1`;
const appendLocked = `with head as (update change_head set seq = seq + 1 returning seq)
  insert into change_log (seq, tenant, kind, ref_id, task_id, before, after)
  select head.seq, tenant, 'task', id, id, $2, to_jsonb(tasks) from tasks, head where id = $1`;

/** One database, and what is measured on it. */
class Contest {
  readonly #pool: Pool;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  batches = 0;

  constructor(url: string) {
    this.#pool = new Pool({ connectionString: url, max: WRITERS + 1 });
    // The server is stopped before the last of its connections is.
    this.#pool.on("error", () => {});
  }

  async prepare(): Promise<void> {
    await this.#pool.query("truncate change_log");
    await this.#pool.query("delete from tasks");
    await this.#pool.query(
      `insert into tasks (id, tenant, name, description, task_type, status, status_reason, status_changed_at, priority,
         user_id, organization_id, app_id, project_path, coordinator_session_id, created_at, updated_at)
       select 'tsk_' || n, 't', 'A task', repeat('What is to be done. ', 20), 'batch', 'pending', '', now(), 0,
         'u', '', '', '/work', 'ses_' || n, now(), now() from generate_series(0, $1::int - 1) n`,
      [WRITERS],
    );
    this.batches = 0;
  }

  /** Changes that were committed (and numbered, where they are) in a second. */
  async run(kind: Kind): Promise<number> {
    await this.prepare();
    const endMs = performance.now() + SECONDS * 1_000;
    const startMs = performance.now();
    const counts = await Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        const client = await this.#pool.connect();
        let count = 0;
        for (; performance.now() < endMs; count++) await this.#change(client, kind, `tsk_${writer}`);
        client.release();
        return count;
      }),
    );
    if (kind === "batched") await this.#sequence();
    return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - startMs) / 1_000);
  }

  async #change(client: PoolClient, kind: Kind, id: string): Promise<void> {
    await client.query("begin");
    await client.query({ name: "change", text: "update tasks set version = version + 1 where id = $1", values: [id] });
    const text = kind === "locked" ? appendLocked : append;
    await client.query({ name: kind, text, values: [id, BEFORE] });
    await client.query("commit");
    if (kind === "batched") void this.#sequence();
  }

  #sequence(): Promise<void> {
    if (this.#running === undefined) return this.#number();
    return (this.#next ??= this.#running.then(() => this.#number()));
  }

  #number(): Promise<void> {
    this.#next = undefined;
    this.batches++;
    const done = this.#pool.query("select sequence_changes()").then(() => (this.#running = undefined));
    this.#running = done;
    return done;
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const directory = mkdtempSync(path.join(tmpdir(), "helix-zed-load-"));
const postgres = await startPostgres({ directory: path.join(directory, "postgres") });
try {
  const url = await ensureDatabase(postgres.url, "load");
  await migrateTaskService(url);
  const contest = new Contest(url);
  const figures = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of kinds) {
      const perSecond = await contest.run(kind);
      figures.get(kind)?.push(perSecond);
      say(
        `round ${round + 1}  ${kind.padEnd(8)} ${perSecond.toFixed(0).padStart(6)} changes/s  ${contest.batches} batches`,
      );
    }
  }
  const [none, locked, batched] = kinds.map((kind) => median(figures.get(kind) ?? []));
  say(`${WRITERS} writers, durable commits, medians of ${ROUNDS} rounds of ${SECONDS} s`);
  say(
    `batched / locked ${((batched ?? 0) / (locked ?? 1)).toFixed(2)}   batched / none ${((batched ?? 0) / (none ?? 1)).toFixed(2)}`,
  );
  await contest.close();
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
