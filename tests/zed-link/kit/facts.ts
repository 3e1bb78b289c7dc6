import type { LinkStage } from "./link-stage.ts";

/** How many threads the bridge knows. */
export async function mappingCount({ app }: LinkStage): Promise<number> {
  const rows = await app.database.snapshot((em) =>
    em.execute<{ count: number }[]>("select count(*)::int as count from zed_thread_mappings"),
  );
  return rows[0]?.count ?? 0;
}

/** The connection of an instance that counts. */
export async function linkEpochOf({ app }: LinkStage, instanceId: string): Promise<number> {
  const instance = await app.database.transact(({ instances }) => instances.find(instanceId));
  return instance?.linkEpoch ?? 0;
}

/** What is in the log of a thread, in order: `turn 1`, `entry user`, `entry assistant`, `mapping`. */
export async function logOrder({ app }: LinkStage, mappingId: string): Promise<string[]> {
  const rows = await app.database.snapshot((em) =>
    em.execute<{ what: string }[]>(
      `select concat_ws(' ', l.kind, t.number::text, e.role) as what from thread_log l
       left join turns t on t.id = l.ref_id left join thread_entries e on e.id = l.ref_id
       where l.mapping_id = ? order by l.seq`,
      [mappingId],
    ),
  );
  return rows.map(({ what }) => what);
}

/** How often each entry of a thread was written. */
export async function entryVersions({ app }: LinkStage, mappingId: string): Promise<number[]> {
  const rows = await app.database.snapshot((em) =>
    em.execute<{ version: string }[]>("select version from thread_entries where mapping_id = ?", [mappingId]),
  );
  return rows.map(({ version }) => Number(version));
}

/** How often PostgreSQL had to part two transactions that waited for each other. */
export async function deadlockCount({ app }: LinkStage): Promise<number> {
  const rows = await app.database.snapshot(async (em) => {
    await em.execute("select pg_stat_force_next_flush()");
    return em.execute<{ deadlocks: string }[]>(
      "select deadlocks from pg_stat_database where datname = current_database()",
    );
  });
  return Number(rows[0]?.deadlocks);
}

/** The threads of an editor that a person has begun, and that a session is to be made for. */
export async function wantedSessions({ app }: LinkStage, instanceId: string): Promise<string[]> {
  const rows = await app.database.snapshot((em) =>
    em.execute<{ thread: string }[]>(
      "select zed_thread_id as thread from editor_threads where zed_session_id = ? and status = 'wanted'",
      [instanceId],
    ),
  );
  return rows.map(({ thread }) => thread);
}
