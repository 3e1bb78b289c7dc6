import { OwnPostgres } from "@helix-zed/harness/own-postgres.ts";
import { afterEach, describe, expect, test } from "vitest";
import { migrateTaskService } from "../persistence/migrate.ts";
import { person } from "../testing/test-app.ts";
import { closeReplicas, everything, openReplicas, play, playTimeoutMs } from "../testing/watch-stage.ts";
import { Watcher } from "../testing/watcher.ts";
import { watchTasks } from "./watch-tasks.ts";

afterEach(closeReplicas);

describe("watches, while PostgreSQL is restarted under 16 writers", { timeout: playTimeoutMs }, () => {
  test("keep all their promises, and are resumed with the tokens that they have", async () => {
    const postgres = await OwnPostgres.start(migrateTaskService);
    try {
      const apps = await openReplicas(2, {}, postgres.url);
      const meanwhile = async (): Promise<void> => {
        for (let restart = 0; restart < 2; restart++) await postgres.restart();
      };
      const { problems, lost } = await play({ apps, steps: 15, meanwhile });
      expect(problems).toEqual([]);
      expect(lost).toEqual([]);
    } finally {
      await closeReplicas();
      await postgres.stop();
    }
  });
});

describe("watches without notifications", { timeout: playTimeoutMs }, () => {
  test("keep all their promises: polling is enough", async () => {
    const apps = await openReplicas(2, { watchNotifyIntervalMs: Infinity });
    const { problems, lost } = await play({ apps, steps: 10 });
    expect(problems).toEqual([]);
    expect(lost).toEqual([]);
  });
});

const never = new AbortController().signal;
const tasks = { taskIds: [], statuses: [], includeWorkSessions: false, resumeToken: "" };

describe("a log that is not the one that it was", () => {
  test("ends its watches out of range when its numbers went back, and begins a new epoch", async () => {
    const [app] = await openReplicas(1);
    if (app === undefined) throw new Error("There is no replica.");
    for (let count = 0; count < 5; count++) await app.createTask();
    const messages = watchTasks(app, person(), tasks, never);
    let token = "";
    while (token === "") token = (await messages.next()).value?.resumeToken ?? "";
    // As after a volume was restored: nothing of the database's identity tells.
    await app.sql("delete from change_log where seq > 2");
    await app.sql("update change_head set seq = 2");
    await expect(Array.fromAsync(messages)).rejects.toMatchObject({ reason: "RESUME_TOKEN_FROM_ANOTHER_LOG" });
    const resumed = watchTasks(app, person(), { ...tasks, resumeToken: token }, never).next();
    await expect(resumed).rejects.toMatchObject({ reason: "RESUME_TOKEN_FROM_ANOTHER_LOG" });
    const fresh = await watchTasks(app, person(), tasks, never).next();
    expect(fresh.done).toBe(false);
  });

  test("is known by where it lives: a copy of the database is another log", async () => {
    const [app] = await openReplicas(1);
    if (app === undefined) throw new Error("There is no replica.");
    const watcher = new Watcher({ apps: [app], filter: everything, messagesMax: Infinity });
    const refused = expect(watcher.run(new Promise(() => {}))).rejects.toMatchObject({
      reason: "RESUME_TOKEN_FROM_ANOTHER_LOG",
    });
    await watcher.synced;
    const epoch = "select epoch from change_head";
    const [before] = await app.sql(epoch);
    await app.sql("update change_head set incarnation = 'elsewhere'");
    await refused;
    const [after] = await app.sql(epoch);
    expect(after).not.toEqual(before);
    await app.database.feed.refresh();
    expect(await app.sql(epoch)).toEqual([after]);
  });
});

describe("a snapshot of many pages", () => {
  const insert = `insert into tasks (id, tenant, name, description, task_type, status, status_reason, status_changed_at,
      priority, user_id, organization_id, app_id, project_path, coordinator_session_id, created_at, updated_at)
    select 'tsk_' || lpad(n::text, 6, '0'), 'user:ada', 'n' || n, '', 'batch', 'pending', '', now(), 0,
      'ada', '', '', '', 'ses_' || n, now(), now() from generate_series(1, 1203) n`;

  test("is consistent while others write and the log is compacted", { timeout: playTimeoutMs }, async () => {
    const apps = await openReplicas(2, { longSnapshotsMax: 10 });
    await apps[0]?.sql(insert);
    const retention = { logRetentionMs: 0, logRetentionChanges: 200, logCompactionBatchMax: 50 };
    const meanwhile = async (signal: AbortSignal): Promise<void> => {
      while (!signal.aborted) await apps[0]?.database.compactLog(retention);
    };
    const { records, problems } = await play({ apps, steps: 10, meanwhile });
    expect(problems).toEqual([]);
    for (const record of records) {
      const ids = record.flatMap(({ seen }) => (seen !== "progress" && seen.kind === "changed" ? [seen.id] : []));
      expect(new Set(ids.filter((id) => /^tsk_\d{6}$/.test(id))).size).toBe(1_203);
    }
  });

  test("is refused when there are too many at a time, and free again when they are closed", async () => {
    const [app] = await openReplicas(1, { longSnapshotsMax: 2 });
    await app?.sql(insert);
    if (app === undefined) throw new Error("There is no replica.");
    const slow = [1, 2].map(() => watchTasks(app, person(), tasks, never));
    for (const messages of slow) await messages.next();
    const third = watchTasks(app, person(), tasks, never).next();
    await expect(third).rejects.toMatchObject({ reason: "TOO_MANY_SNAPSHOTS", retryAfterMs: 2_000 });
    for (const messages of slow) await messages.return();
    const fourth = watchTasks(app, person(), tasks, never);
    expect((await fourth.next()).done).toBe(false);
    await fourth.return();
  });

  test("ends when its reader takes too long, and gives its connection back", async () => {
    const [app] = await openReplicas(1, { longSnapshotsMax: 1, snapshotMsMax: 50 });
    await app?.sql(insert);
    if (app === undefined) throw new Error("There is no replica.");
    const slow = watchTasks(app, person(), tasks, never);
    await slow.next();
    const inTransaction =
      "select 1 from pg_stat_activity where state like 'idle in transaction%' and datname = current_database()";
    await expect.poll(() => app.sql(inTransaction)).toEqual([]);
    await expect(Array.fromAsync(slow)).rejects.toMatchObject({ reason: "SNAPSHOT_TOO_SLOW" });
  });
});
