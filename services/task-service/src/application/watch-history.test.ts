import { afterEach, describe, expect, test } from "vitest";
import type { WatchFilter } from "../persistence/watch-filter.ts";
import type { TestApp } from "../testing/test-app.ts";
import { closeReplicas, delayCommits, everything, openReplicas, play, playTimeoutMs } from "../testing/watch-stage.ts";
import { type LoggedRow, Writers } from "../testing/writers.ts";

afterEach(closeReplicas);

/** Numbers rows when they are appended, by a sequence: what the change log must not do. */
async function breakLog(app: TestApp): Promise<void> {
  await app.sql("create sequence broken");
  await app.sql("grant all on sequence broken to public");
  await app.sql("alter table change_log alter column seq set default nextval('broken')");
  await app.sql(`
    create or replace function sequence_changes() returns bigint language sql as $$
      update change_head set seq = greatest(seq, (select coalesce(max(seq), 0) from change_log)) returning seq $$`);
}

function isActiveSession({ kind, after }: LoggedRow): boolean {
  return kind === "work_session" && after?.status === "active";
}

describe("a watch, while 16 writers write and it is cut again and again", { timeout: playTimeoutMs }, () => {
  test("keeps all its promises", async () => {
    const apps = await openReplicas(1);
    const { problems, lost, events, connections } = await play({ apps });
    expect(problems).toEqual([]);
    expect(lost).toEqual([]);
    expect(events).toBeGreaterThan(300);
    expect(connections.at(-1)).toBeGreaterThan(20);
  });

  test("keeps them when commits overtake each other", async () => {
    const apps = await openReplicas(1);
    for (const app of apps) await delayCommits(app);
    expect((await play({ apps })).problems).toEqual([]);
  });

  test("keeps them across replicas, on whichever it resumes", async () => {
    const apps = await openReplicas(3);
    await Promise.all(apps.slice(0, 1).map(delayCommits));
    const { problems, lost } = await play({ apps });
    expect(problems).toEqual([]);
    expect(lost).toEqual([]);
  });

  test("keeps them for what it filters", async () => {
    const apps = await openReplicas(2);
    const filter: WatchFilter = {
      ...everything,
      tenant: null,
      tasks: null,
      workSessions: { agentTypes: ["zed_agent"], statuses: ["active"] },
    };
    const { problems } = await play({ apps, filter, matches: isActiveSession });
    expect(problems).toEqual([]);
  });
});

describe("the judge", { timeout: playTimeoutMs }, () => {
  test("finds what a log breaks whose numbers come from a sequence when rows are appended", async () => {
    const apps = await openReplicas(1);
    for (const app of apps) {
      await breakLog(app);
      await delayCommits(app);
    }
    const { problems } = await play({ apps, steps: 40 });
    expect(problems.join("\n")).toMatch(/left out|never showed|in the middle of/);
  });
});

describe("the numbers of the log", { timeout: playTimeoutMs }, () => {
  test("are dense, and in the order in which conflicting transactions committed", async () => {
    const apps = await openReplicas(2);
    for (const app of apps.slice(0, 1)) await delayCommits(app);
    await new Writers(apps).run({ writers: 16, steps: 20 });
    await Promise.all(apps.map(({ database }) => database.feed.refresh()));
    const rows = await apps[0]?.sql<{ seq: string; xid: string; ref_id: string; version: number | null }>(
      "select seq, xid::text, ref_id, (after->>'version')::int as version from change_log order by seq",
    );
    expect(rows?.map(({ seq }) => Number(seq))).toEqual(rows?.map((_, index) => index + 1));
    for (const history of Map.groupBy(rows ?? [], ({ ref_id }) => ref_id).values()) {
      const versions = history.map(({ version }, index) => version ?? index + 1);
      expect(versions).toEqual(versions.map((_, index) => index + 1));
    }
    const borders = (rows ?? []).filter(({ xid }, index) => rows?.[index - 1]?.xid !== xid);
    expect(new Set(borders.map(({ xid }) => xid)).size).toBe(borders.length);
  });
});
