import { problemsOf } from "@helix-zed/harness/watch-history.ts";
import { afterEach, describe, expect, test } from "vitest";
import type { WatchFilter } from "../persistence/watch-filter.ts";
import { TestApp } from "../testing/test-app.ts";
import { Watcher } from "../testing/watcher.ts";
import { type LoggedRow, Writers } from "../testing/writers.ts";

const quick = { watchHeartbeatMs: 20, watchPollMs: 50 };
const all: WatchFilter = {
  tenant: "ada",
  taskIds: [],
  tasks: { statuses: [] },
  workSessions: { agentTypes: [], statuses: [] },
};

const opened: TestApp[] = [];
async function replicas(count: number): Promise<TestApp[]> {
  const first = await TestApp.open(quick);
  opened.push(first);
  for (let index = 1; index < count; index++) opened.push(await TestApp.open(quick, first.url));
  return [...opened];
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
});

/** Makes commits slow and uneven, so that transactions overtake each other. */
async function delayCommits(app: TestApp): Promise<void> {
  await app.sql(`
    create function dawdle() returns trigger language plpgsql as $$
      begin perform pg_sleep(random() * 0.01); return null; end $$`);
  await app.sql(`
    create constraint trigger dawdle after insert on change_log
      deferrable initially deferred for each row when (new.id % 3 = 0) execute function dawdle()`);
}

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

interface Run {
  readonly apps: readonly TestApp[];
  readonly filter?: WatchFilter;
  readonly matches?: (row: LoggedRow) => boolean;
  readonly steps?: number;
}

/** Lets 16 writers write while watchers watch, some of them cut again and again; gives what each watcher got wrong. */
async function run({ apps, filter = all, matches = () => true, steps = 20 }: Run) {
  const writers = new Writers(apps);
  await writers.run({ writers: 4, steps: 5 });
  const written = (async () => {
    await writers.run({ writers: 16, steps });
    const [app] = apps;
    await app?.database.feed.refresh();
    return app?.database.feed.head ?? 0;
  })();
  const lives = [Infinity, 40, 6];
  const watchers = lives.map((messagesMax) => new Watcher({ apps, filter, messagesMax }));
  const seen = await Promise.all(watchers.map((watcher) => watcher.run(written)));
  const committed = await writers.committed(matches);
  return {
    problems: seen.flatMap((events) => problemsOf(events, committed)),
    lost: await writers.lost(),
    events: seen.reduce((sum, events) => sum + events.length, 0),
    connections: watchers.map(({ connections }) => connections),
  };
}

describe("a watch, while 16 writers write and it is cut again and again", () => {
  test("keeps all its promises", async () => {
    const apps = await replicas(1);
    const { problems, lost, events, connections } = await run({ apps });
    expect(problems).toEqual([]);
    expect(lost).toEqual([]);
    expect(events).toBeGreaterThan(500);
    expect(connections.at(-1)).toBeGreaterThan(20);
  });

  test("keeps them when commits overtake each other", async () => {
    const apps = await replicas(1);
    for (const app of apps) await delayCommits(app);
    expect((await run({ apps })).problems).toEqual([]);
  });

  test("keeps them across replicas, on whichever it resumes", async () => {
    const apps = await replicas(3);
    await Promise.all(apps.slice(0, 1).map(delayCommits));
    const { problems, lost } = await run({ apps });
    expect(problems).toEqual([]);
    expect(lost).toEqual([]);
  });

  test("keeps them for what it filters", async () => {
    const apps = await replicas(2);
    const filter: WatchFilter = {
      ...all,
      tenant: null,
      tasks: null,
      workSessions: { agentTypes: ["zed_agent"], statuses: ["active"] },
    };
    const { problems } = await run({ apps, filter, matches: isActiveSession });
    expect(problems).toEqual([]);
  });
});

describe("the judge", () => {
  test("finds what a log breaks whose numbers come from a sequence when rows are appended", async () => {
    const apps = await replicas(1);
    for (const app of apps) {
      await breakLog(app);
      await delayCommits(app);
    }
    const { problems } = await run({ apps });
    expect(problems.join("\n")).toMatch(/left out|never showed/);
  });
});

describe("the numbers of the log", () => {
  test("are dense, and in the order in which conflicting transactions committed", async () => {
    const apps = await replicas(2);
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
