import { afterEach, describe, expect, test } from "vitest";
import type { TestApp } from "../testing/test-app.ts";
import { closeReplicas, openReplicas, play, playTimeoutMs } from "../testing/watch-stage.ts";
import { Writers } from "../testing/writers.ts";
import { compactLog } from "./compact-log.ts";

afterEach(closeReplicas);

const eager = { logRetentionMs: 0, logRetentionChanges: 60, logCompactionBatchMax: 25, logCompactionIntervalMs: 5 };
const watchers = [
  { messagesMax: Infinity },
  { messagesMax: 6 },
  { messagesMax: 20, awayForChanges: 20 },
  { messagesMax: 20, awayForChanges: 300 },
];

const report = { failed: (error: unknown): void => expect(error).toBeUndefined() };

async function compact(apps: readonly TestApp[], signal: AbortSignal): Promise<void> {
  await Promise.all(apps.map((app) => compactLog(app, signal, report)));
}

async function endsOf([app]: readonly TestApp[]) {
  const rows = await app?.sql<{ floor: number; oldest: number; kept: number }>(
    `select floor::int, (select min(seq)::int from change_log) as oldest, (select count(*)::int from change_log) as kept
     from change_head`,
  );
  return rows?.[0] ?? { floor: 0, oldest: 0, kept: 0 };
}

describe("a log that is compacted by two replicas while 16 writers write", { timeout: playTimeoutMs }, () => {
  test("keeps all promises to its watches, and tells those who stayed away too long to begin anew", async () => {
    const apps = await openReplicas(2, eager);
    const { problems, lost, expiries } = await play({ apps, watchers, meanwhile: (signal) => compact(apps, signal) });
    expect(problems).toEqual([]);
    expect(lost).toEqual([]);
    expect(expiries).toBeGreaterThan(0);
    const { floor, oldest, kept } = await endsOf(apps);
    expect(oldest).toBe(floor + 1);
    expect(kept).toBeGreaterThanOrEqual(eager.logRetentionChanges);
  });

  test("is found out by the judge when its floor does not follow what was dropped", async () => {
    const apps = await openReplicas(2, eager);
    await apps[0]?.sql(`
      create or replace function compact_changes(keep_ms bigint, keep_changes bigint, batch integer) returns integer
      language plpgsql as $$
      begin
        delete from change_log where seq <= (select seq - keep_changes from change_head);
        return 0;
      end $$`);
    const { problems } = await play({ apps, watchers, meanwhile: (signal) => compact(apps, signal) });
    expect(problems.join("\n")).toMatch(/left out|never showed/);
  });
});

describe("the retention of the log", () => {
  const generous = { logRetentionMs: 3_600_000, logRetentionChanges: 10, logCompactionBatchMax: 1_000 };

  test("keeps what is young and what is among the newest, whichever is more", async () => {
    const apps = await openReplicas(1);
    const [app] = apps;
    await new Writers(apps).run({ writers: 4, steps: 20 });
    await app?.database.feed.refresh();
    const all = (await endsOf(apps)).kept;
    expect(await app?.database.compactLog(generous)).toBe(0);
    await app?.sql("update change_log set appended_at = now() - interval '2 hours' where seq <= 20");
    expect(await app?.database.compactLog(generous)).toBe(20);
    expect(await endsOf(apps)).toEqual({ floor: 20, oldest: 21, kept: all - 20 });
    await app?.sql("update change_log set appended_at = now() - interval '2 hours'");
    await app?.database.compactLog(generous);
    expect((await endsOf(apps)).kept).toBe(10);
  });

  test("never drops what has no number yet", async () => {
    const apps = await openReplicas(1, { watchPollMs: 60_000 });
    const [app] = apps;
    await new Writers(apps).run({ writers: 1, steps: 3 });
    await app?.database.feed.refresh();
    await app?.sql("update change_log set seq = null");
    expect(await app?.database.compactLog({ ...generous, logRetentionMs: 0, logRetentionChanges: 0 })).toBe(0);
  });

  test("is looked after by one process at a time", async () => {
    const apps = await openReplicas(2);
    await new Writers(apps).run({ writers: 4, steps: 20 });
    await apps[0]?.database.feed.refresh();
    const { kept } = await endsOf(apps);
    const nothing = { logRetentionMs: 0, logRetentionChanges: 0, logCompactionBatchMax: 1_000 };
    const dropped = await Promise.all(apps.map(({ database }) => database.compactLog(nothing)));
    expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(kept);
    expect(await endsOf(apps)).toMatchObject({ oldest: null, kept: 0 });
  });
});
