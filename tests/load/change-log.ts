// How many changes a second can be committed and numbered, of one tenant and of sixteen? Side by side in one run:
//
//   none      the change and its log row, never numbered: what the database can do at most
//   locked    a counter row per tenant, locked from the append to the commit
//   batched   numbered after the commit, by `sequence_changes`, as the task-service does it
//   service   the same through the use cases of the service: a session is claimed and given back in turn
//
// The first three send a change as the service does: one statement that writes the row and its entry in the log, in one
// message with begin and commit.
//
//    node tests/load/change-log.ts [writers] [seconds]
//
// Figures of one run can be compared with each other, not with those of another machine or another day.

import { Pool } from "pg";
import { sendTogether } from "../../packages/persistence/src/send-together.ts";
import { withApp } from "./measuring/load-app.ts";
import { withLoadDatabase } from "./measuring/load-database.ts";
import { say, sayGoal, sayMachine } from "./measuring/report.ts";
import { SessionWriter } from "./measuring/session-writer.ts";
import { median } from "./measuring/statistics.ts";

const WRITERS = Number(process.argv[2] ?? 16);
const SECONDS = Number(process.argv[3] ?? 2);
const ROUNDS = 3;
const goals = [
  { tenants: 1, perSecond: 2_500 },
  { tenants: 16, perSecond: 6_000 },
] as const;

const BEFORE = JSON.stringify({ status: "pending" });
const change = "with changed as (update tasks set version = version + 1 where id = $1 returning *)";
const append = `${change}
  insert into change_log (tenant, kind, ref_id, task_id, before, after)
  select tenant, 'task', id, id, $2::jsonb, to_jsonb(changed) from changed`;
// Numbers of different tenants would collide in the log of all; each has a range of its own, below zero.
const appendLocked = `${change}, head as (
    update locked_heads h set seq = h.seq - 1 from changed where h.tenant = changed.tenant returning h.seq
  )
  insert into change_log (seq, tenant, kind, ref_id, task_id, before, after)
  select head.seq, tenant, 'task', id, id, $2::jsonb, to_jsonb(changed) from changed, head`;

/** One way to write changes; how many were written is counted by the callers. */
interface Contender {
  readonly name: string;
  /** What each of the writers does again and again. */
  readonly writers: (tenants: number) => Promise<readonly (() => Promise<unknown>)[]>;
}

/** Statements as the service sends them, without the service. */
class RawLog {
  readonly #pool: Pool;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  contender(name: "batched" | "locked" | "none"): Contender {
    const text = name === "locked" ? appendLocked : append;
    const writers = async (tenants: number) => {
      await this.#prepare(tenants);
      return Array.from({ length: WRITERS }, (_, writer) => () => this.#change({ name, text, id: `tsk_${writer}` }));
    };
    return { name, writers };
  }

  async #prepare(tenants: number): Promise<void> {
    await this.#pool.query("truncate change_log");
    await this.#pool.query("delete from tasks");
    await this.#pool.query("create table if not exists locked_heads (tenant text primary key, seq bigint)");
    await this.#pool.query("truncate locked_heads");
    await this.#pool.query(
      "insert into locked_heads select 't' || n, -n * 1000000000::bigint from generate_series(1, 16) n",
    );
    await this.#pool.query(
      `insert into tasks (id, tenant, name, description, task_type, status, status_reason, status_changed_at, priority,
         user_id, organization_id, app_id, project_path, coordinator_session_id, created_at, updated_at)
       select 'tsk_' || n, 't' || 1 + n % $2::int, 'A task', repeat('What is to be done. ', 20), 'batch', 'pending', '',
         now(), 0, 'u', '', '', '/work', 'ses_' || n, now(), now() from generate_series(0, $1::int - 1) n`,
      [WRITERS, tenants],
    );
  }

  async #change({ name, text, id }: { name: string; text: string; id: string }): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await sendTogether(client, [BEGIN, { text, values: [id, BEFORE] }, COMMIT]);
    } finally {
      client.release();
    }
    if (name === "batched") void this.#sequence();
  }

  /** As the service's feed does: while one numbering runs, all who come share the next. */
  #sequence(): Promise<void> {
    if (this.#running === undefined) return this.#number();
    return (this.#next ??= this.#running.then(() => this.#number()));
  }

  #number(): Promise<void> {
    this.#next = undefined;
    const done = this.#pool.query("select * from refresh_log(false)").then(() => (this.#running = undefined));
    this.#running = done;
    return done;
  }
}

const BEGIN = { text: "begin", values: [] };
const COMMIT = { text: "commit", values: [] };

/** How many times a second the writers do it. */
async function measure(writers: readonly (() => Promise<unknown>)[]): Promise<number> {
  const startMs = performance.now();
  const endMs = startMs + SECONDS * 1_000;
  const counts = await Promise.all(
    writers.map(async (write) => {
      let count = 0;
      for (; performance.now() < endMs; count++) await write();
      return count;
    }),
  );
  return (counts.reduce((sum, count) => sum + count, 0) / (performance.now() - startMs)) * 1_000;
}

async function compare(contenders: readonly Contender[], { tenants, perSecond }: (typeof goals)[number]) {
  const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, writers } of contenders) figures.get(name)?.push(await measure(await writers(tenants)));
  }
  const of = (name: string): number => median(figures.get(name) ?? []);
  const columns = contenders.map(({ name }) => `${name} ${of(name).toFixed(0)}/s`);
  say(`${tenants} tenant(s)   ${columns.join("   ")}`);
  say(
    `   batched / locked ${(of("batched") / of("locked")).toFixed(2)}` +
      `   batched / none ${(of("batched") / of("none")).toFixed(2)}` +
      `   service / batched ${(of("service") / of("batched")).toFixed(2)}`,
  );
  sayGoal(`   changes/s of ${tenants} tenant(s), committed and numbered`, of("batched"), { atLeast: perSecond });
}

await withLoadDatabase(({ url }) =>
  withApp(url, async (app) => {
    const pool = new Pool({ connectionString: url, max: WRITERS + 1 });
    // The server is stopped before the last of its connections is.
    pool.on("error", () => {});
    const raw = new RawLog(pool);
    const service: Contender = {
      name: "service",
      writers: async (tenants) => {
        const users = Array.from({ length: WRITERS }, (_, writer) => `u${writer % tenants}`);
        const writers = await Promise.all(users.map((userId) => SessionWriter.create(app, userId)));
        return writers.map((writer) => () => writer.write());
      },
    };
    const contenders = [raw.contender("none"), raw.contender("locked"), raw.contender("batched"), service];
    sayMachine();
    say(`${WRITERS} writers, durable commits, medians of ${ROUNDS} rounds of ${SECONDS} s`);
    for (const goal of goals) await compare(contenders, goal);
    await pool.end();
  }),
);
