import { firstDifference, type Recorded, shownIn } from "@helix-zed/harness/watch-record.ts";
import { problemsOf, type Seen } from "@helix-zed/harness/watch-history.ts";
import { afterEach, describe, expect, test } from "vitest";
import type { TaskStatus } from "../domain/task-lifecycle.ts";
import { hasTaskEnded } from "../domain/task-lifecycle.ts";
import type { WatchFilter } from "../persistence/watch-filter.ts";
import { aSession, person, type TestApp } from "../testing/test-app.ts";
import { closeReplicas, everything, openReplicas, play, playTimeoutMs } from "../testing/watch-stage.ts";
import { seenIn, Watcher } from "../testing/watcher.ts";
import { type LoggedRow, Writers } from "../testing/writers.ts";
import { updateTaskStatus } from "./update-task-status.ts";
import { watch } from "./watch.ts";
import { resumeTokens } from "./watch-cursor.ts";

afterEach(closeReplicas);

/** What a watch shows that resumes with a token, up to the end of the log. */
async function resumeWith(app: TestApp, token: string, last: number): Promise<Recorded[]> {
  const record: Recorded[] = [];
  const { signal } = new AbortController();
  for await (const { event, resumeToken } of watch(app, { filter: everything, resumeToken: token, signal })) {
    record.push({ atMs: 0, token: resumeToken, connection: 1, ...seenIn(event) });
    if (resumeTokens.decode(resumeToken, everything).seq >= last) break;
  }
  return record;
}

describe("a resume token", { timeout: playTimeoutMs }, () => {
  test("of any message continues exactly there, on another replica, also in the middle of a transaction", async () => {
    const apps = await openReplicas(2);
    const { records } = await play({ apps, steps: 15, watchers: [{ messagesMax: Infinity }] });
    const [record = []] = records;
    const last = resumeTokens.decode(record.at(-1)?.token ?? "", everything).seq;
    const bookmarks = [...record.entries()].filter(([, { token }]) => token !== "");
    // Neighbours: most transactions write more than one row, so some of these lie between two rows of one.
    const from = Math.floor(bookmarks.length / 2);
    const chosen = [...bookmarks.slice(0, 3), ...bookmarks.slice(from, from + 25), ...bookmarks.slice(-3)];
    for (const [place, [index, { token }]] of chosen.entries()) {
      const app = apps[place % 2];
      const resumed = app === undefined ? [] : await resumeWith(app, token, last);
      expect(firstDifference(record, index, resumed)).toBeNull();
    }
  });
});

function statusIn({ kind, after }: LoggedRow): TaskStatus | null {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the column of `tasks`
  return kind === "task" && after !== null ? (after.status as TaskStatus) : null;
}

/** The rows of some tasks up to those of the transaction with which the last of them ended. */
function untilEnd(rows: readonly LoggedRow[], taskIds: readonly string[]): LoggedRow[] {
  const own = rows.filter(({ task_id }) => taskIds.includes(task_id));
  const open = new Set(taskIds);
  const end = own.find((row) => {
    const status = statusIn(row);
    if (row.kind === "task" && (status === null || hasTaskEnded(status))) open.delete(row.ref_id);
    return open.size === 0;
  });
  return own.filter(({ id, xid }) => end !== undefined && (id <= end.id || xid === end.xid));
}

describe("a watch of named tasks, while 16 writers write", { timeout: playTimeoutMs }, () => {
  test("ends with the last of them, and shows all of the transaction that ended it", async () => {
    const apps = await openReplicas(2);
    const [app] = apps;
    const writers = new Writers(apps);
    await writers.run({ writers: 4, steps: 10 });
    const named = await liveOf(app, writers.taskIds.slice(0, 8));
    const watchers = named.map((taskIds, index) => {
      const filter: WatchFilter = { ...everything, taskIds };
      return { taskIds, watcher: new Watcher({ apps, filter, messagesMax: index % 2 === 0 ? Infinity : 3 }) };
    });
    const never = new Promise<number>(() => {});
    const records = Promise.all(watchers.map(({ watcher }) => watcher.run(never)));
    await Promise.all(watchers.map(({ watcher }) => watcher.synced));
    await writers.run({ writers: 16, steps: 15 });
    for (const taskId of named.flat()) {
      const cancelled = app && updateTaskStatus(app, person(), { taskId, action: "cancel", reason: "" });
      // It may have ended already, or be gone.
      await cancelled?.catch(() => {});
    }
    const rows = await writers.rows();
    for (const [index, record] of (await records).entries()) {
      const own = untilEnd(rows, named[index] ?? []);
      expect(own.length).toBeGreaterThan(0);
      expect(watchers[index]?.watcher.hasEnded).toBe(true);
      const committed = writers.committedIn(own, () => true);
      expect(problemsOf(shownIn(record), committed)).toEqual([]);
    }
  });

  test("shows the sessions that are cancelled with their task, before it ends with the task", async () => {
    const [app] = await openReplicas(1);
    if (app === undefined) throw new Error("There is no replica.");
    const task = await app.createTask({ workSessions: ["a", "b", "c"].map(aSession) });
    const filter: WatchFilter = { ...everything, taskIds: [task.id] };
    const watcher = new Watcher({ apps: [app], filter, messagesMax: Infinity });
    const record = watcher.run(new Promise(() => {}));
    await watcher.synced;
    await updateTaskStatus(app, person(), { taskId: task.id, action: "cancel", reason: "" });
    const shown: Seen[] = shownIn(await record);
    const ids = shown.flatMap((seen) => (seen.kind === "changed" && seen.version === 2 ? [seen.id] : []));
    expect(new Set(ids).size).toBe(4);
    expect(ids.at(-1)).toBe(task.id);
  });
});

/** The tasks that have not ended, in twos. */
async function liveOf(app: TestApp | undefined, taskIds: readonly string[]): Promise<string[][]> {
  const query = "select id from tasks where id = any($1) and status in ('pending', 'active') order by id";
  const live = (await app?.sql<{ id: string }>(query, [taskIds])) ?? [];
  const ids = live.map(({ id }) => id);
  return [ids.slice(0, 2), ids.slice(2, 4)].filter(({ length }) => length > 0);
}
