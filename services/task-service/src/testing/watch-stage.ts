// The stage for histories: one database, some replicas, many writers, watchers that are treated badly. What each watcher saw
// is judged against what was committed.

import { problemsOf } from "@helix-zed/harness/watch-history.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import { problemsOfRecord, shownIn } from "@helix-zed/harness/watch-record.ts";
import { tenantOf } from "@helix-zed/domain";
import type { Limits } from "../domain/limits.ts";
import type { WatchFilter } from "../persistence/watch-filter.ts";
import { person, TestApp } from "./test-app.ts";
import { Watcher, type WatcherOptions } from "./watcher.ts";
import { keepHistory, type LoggedRow, Writers } from "./writers.ts";

/** All that the writers write. */
export const everything: WatchFilter = {
  tenant: tenantOf(person()),
  taskIds: [],
  tasks: { statuses: [] },
  workSessions: { agentTypes: [], statuses: [] },
};

// The tail is small, so that watchers also read the database.
const quick = { watchHeartbeatMs: 20, watchPollMs: 50, watchTailChangesMax: 100 };
const SILENCE_MS_MAX = 5_000;

/** For tests that play. */
export const playTimeoutMs = sized({ normal: 120_000, full: 900_000 });

const opened: TestApp[] = [];

/** So many replicas on a database of their own, or on a migrated one. */
export async function openReplicas(count: number, limits: Partial<Limits> = {}, url?: string): Promise<TestApp[]> {
  const first = await TestApp.open({ ...quick, ...limits }, url);
  opened.push(first);
  await keepHistory(first);
  for (let index = 1; index < count; index++) opened.push(await TestApp.open({ ...quick, ...limits }, first.url));
  return [...opened];
}

/** Closes all replicas. */
export async function closeReplicas(): Promise<void> {
  await Promise.all(opened.splice(0).map((app) => app.close()));
}

/** What happens. */
export interface Play {
  readonly apps: readonly TestApp[];
  readonly filter?: WatchFilter;
  readonly matches?: (row: LoggedRow) => boolean;
  readonly steps?: number;
  /** How each of the watchers is treated. */
  readonly watchers?: readonly Pick<WatcherOptions, "awayForChanges" | "messagesMax">[];
  /** Goes on until its signal aborts, when the writers are done. */
  readonly meanwhile?: (signal: AbortSignal) => Promise<void>;
}

const treatments = [{ messagesMax: Infinity }, { messagesMax: 40 }, { messagesMax: 6 }];

/** Lets 16 writers write while watchers watch; gives what each watcher got wrong. */
export async function play(options: Play) {
  const {
    apps,
    filter = everything,
    matches = () => true,
    steps = sized({ normal: 20, full: 300 }),
    meanwhile,
  } = options;
  const writers = new Writers(apps);
  await writers.run({ writers: 4, steps: 5 });
  const written = (async () => {
    const done = new AbortController();
    const aside = meanwhile?.(done.signal);
    await writers.run({ writers: 16, steps });
    done.abort();
    await aside;
    const [app] = apps;
    await app?.database.feed.refresh();
    return app?.database.feed.head ?? 0;
  })();
  const watchers = (options.watchers ?? treatments).map((treated) => new Watcher({ ...treated, apps, filter }));
  const records = await Promise.all(watchers.map((watcher) => watcher.run(written)));
  const committed = await writers.committed(matches);
  const duties = { silenceMsMax: SILENCE_MS_MAX, tenant: filter.tenant };
  return {
    writers,
    records,
    problems: records.flatMap((record) => [
      ...problemsOf(shownIn(record), committed),
      ...problemsOfRecord(record, duties),
    ]),
    lost: await writers.lost(),
    events: records.reduce((sum, record) => sum + shownIn(record).length, 0),
    connections: watchers.map(({ connections }) => connections),
    expiries: watchers.reduce((sum, { expiries }) => sum + expiries, 0),
  };
}

/** Makes commits slow and uneven, so that transactions overtake each other. */
export async function delayCommits(app: TestApp): Promise<void> {
  await app.sql(`
    create function dawdle() returns trigger language plpgsql as $$
      begin perform pg_sleep(random() * 0.01); return null; end $$`);
  await app.sql(`
    create constraint trigger dawdle after insert on change_log
      deferrable initially deferred for each row when (new.id % 3 = 0) execute function dawdle()`);
}
