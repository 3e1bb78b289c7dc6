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

import { Pool } from "pg";
import { sendTogether } from "../../packages/persistence/src/send-together.ts";
import type { App } from "../../services/task-service/src/application/app.ts";
import { withApp } from "./measuring/load-app.ts";
import { type LoadDatabase, withLoadDatabase } from "./measuring/load-database.ts";
import { say, sayFigures, sayGoal, sayMachine } from "./measuring/report.ts";
import { type Contestant, runRounds } from "./measuring/rounds.ts";
import { SessionWriter } from "./measuring/session-writer.ts";

const WRITERS = Number(process.argv[2] ?? 16);
const ROUNDS = { rounds: 3, seconds: Number(process.argv[3] ?? 2), workers: WRITERS, warmUpSeconds: 1 };
const goals = [
  { tenants: 1, perSecond: 2_500 },
  { tenants: 16, perSecond: 6_000 },
] as const;

const BEGIN = { text: "begin", values: [] };
const COMMIT = { text: "commit", values: [] };
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

/** Statements as the service sends them, without the service. */
class RawLog {
  readonly #pool: Pool;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  contestant(name: "batched" | "locked" | "none", tenants: number): Contestant {
    const text = name === "locked" ? appendLocked : append;
    const operation = async (writer: number): Promise<void> => {
      await this.#change(text, `tsk_${writer}`);
      if (name === "batched") void this.#sequence();
    };
    return { name, prepare: () => this.#prepare(tenants), operation };
  }

  async #prepare(tenants: number): Promise<void> {
    await this.#running;
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

  async #change(text: string, id: string): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await sendTogether(client, [BEGIN, { text, values: [id, BEFORE] }, COMMIT]);
    } finally {
      client.release();
    }
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

function serviceContestant(app: App, tenants: number): Contestant {
  let writers: readonly SessionWriter[] = [];
  const prepare = async (): Promise<void> => {
    const users = Array.from({ length: WRITERS }, (_, writer) => `u${writer % tenants}`);
    writers = await Promise.all(users.map((userId) => SessionWriter.create(app, userId)));
  };
  return { name: "service", prepare, operation: async (writer) => writers[writer]?.write() };
}

async function compare(
  contest: readonly Contestant[],
  { cpuUs }: LoadDatabase,
  { tenants, perSecond }: (typeof goals)[number],
) {
  const figures = await runRounds(contest, { ...ROUNDS, databaseCpuUs: cpuUs });
  say(
    `\n${tenants} tenant(s), ${WRITERS} writers, durable commits, medians of ${ROUNDS.rounds} rounds of ${ROUNDS.seconds} s`,
  );
  sayFigures(figures);
  const [none, locked, batched] = figures.map((figure) => figure.perSecond);
  say(
    `batched / locked ${((batched ?? 0) / (locked ?? 1)).toFixed(2)}, / none ${((batched ?? 0) / (none ?? 1)).toFixed(2)}`,
  );
  sayGoal("changes/s, committed and numbered", batched ?? 0, { atLeast: perSecond });
}

await withLoadDatabase((database) =>
  withApp(database.url, async (app) => {
    const pool = new Pool({ connectionString: database.url, max: WRITERS + 1 });
    // The server is stopped before the last of its connections is.
    pool.on("error", () => {});
    const raw = new RawLog(pool);
    sayMachine();
    for (const goal of goals) {
      const { tenants } = goal;
      const rivals = (["none", "locked", "batched"] as const).map((name) => raw.contestant(name, tenants));
      await compare([...rivals, serviceContestant(app, tenants)], database, goal);
    }
    await pool.end();
  }),
);
