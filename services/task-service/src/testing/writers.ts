// Writers for histories: each does random things to random tasks, one after another, many at the same time. What is
// refused (the lifecycle, a race) is part of the noise; what was answered is noted, to be found again in every watch.

import { type Actor, Refusal } from "@helix-zed/domain";
import type { Committed } from "@helix-zed/harness/watch-history.ts";
import { claimWorkSession } from "../application/claim-work-session.ts";
import { createWorkSession } from "../application/create-work-session.ts";
import { deleteTask } from "../application/delete-task.ts";
import { updateTaskStatus } from "../application/update-task-status.ts";
import { updateWorkSessionStatus } from "../application/update-work-session-status.ts";
import { aSession, person, runner, type TestApp } from "./test-app.ts";

/** Something that a writer was told is done: the resource and the version that it has now, `null` if it is gone. */
interface Done {
  readonly id: string;
  readonly version: number | null;
}

/** What all writers know of. */
export class Writers {
  readonly #apps: readonly TestApp[];
  readonly #actor: Actor;
  readonly #taskIds: string[] = [];
  readonly #sessionIds: string[] = [];
  readonly #done = new Map<string, Done[]>();

  constructor(apps: readonly TestApp[], actor = person()) {
    this.#apps = apps;
    this.#actor = actor;
  }

  get taskIds(): readonly string[] {
    return this.#taskIds;
  }

  /** Lets so many writers do so many things each. */
  async run({ writers, steps }: { readonly writers: number; readonly steps: number }): Promise<void> {
    await Promise.all(Array.from({ length: writers }, (_, index) => this.#write(`w${index}`, steps)));
  }

  async #write(name: string, steps: number): Promise<void> {
    const done: Done[] = [];
    this.#done.set(name, done);
    for (let step = 0; step < steps; step++) {
      try {
        done.push(await this.#step(pick(this.#apps), name));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.reason !== "DATABASE_UNAVAILABLE") continue;
        step--;
        await pick(this.#apps)?.world.sleep(20);
      }
    }
  }

  async #step(app: TestApp, name: string): Promise<Done> {
    const dice = Math.random();
    const [taskId, sessionId] = [pick(this.#taskIds), pick(this.#sessionIds)];
    if (taskId === undefined || sessionId === undefined || dice < 0.2) return this.#create(app);
    if (dice < 0.45) return (await claimWorkSession(app, runner, { workSessionId: sessionId, runner: name })).session;
    if (dice < 0.85) {
      const status = pick(["active", "active", "active", "completed", "failed", "cancelled"] as const) ?? "active";
      const command = { workSessionId: sessionId, status, reason: "", result: null };
      return updateWorkSessionStatus(app, this.#actor, command);
    }
    if (dice < 0.93) return this.#add(app, taskId);
    if (dice < 0.97) return updateTaskStatus(app, this.#actor, { taskId, action: "cancel", reason: "" });
    await deleteTask(app, this.#actor, { taskId });
    return { id: taskId, version: null };
  }

  async #create(app: TestApp): Promise<Done> {
    const workSessions = ["a", "b", "c"].slice(0, 1 + Math.floor(Math.random() * 3)).map(aSession);
    const task = await app.createTask({ workSessions }, this.#actor);
    this.#taskIds.push(task.id);
    this.#sessionIds.push(...(await app.sessionsOf(task)).map(({ id }) => id));
    return task;
  }

  async #add(app: TestApp, taskId: string): Promise<Done> {
    const nothing = { helixSessionId: null, parentWorkSessionId: null, spawnedBySessionId: null, requestId: null };
    const session = await createWorkSession(app, this.#actor, { ...aSession("more"), ...nothing, taskId });
    this.#sessionIds.push(session.id);
    return session;
  }

  /** What was committed: by the transaction that each row was written in, with who did it where that is known. */
  async committed(matches: (row: LoggedRow) => boolean): Promise<Committed[]> {
    return this.committedIn(await this.rows(), matches);
  }

  /** All rows that were ever appended to a log whose history is kept, in their order. */
  async rows(): Promise<LoggedRow[]> {
    const [app] = this.#apps;
    const columns = "id::int, xid::text, kind, ref_id, task_id, tenant, after";
    return (await app?.sql<LoggedRow>(`select ${columns} from change_history order by id`)) ?? [];
  }

  /** The same of some of the rows. */
  committedIn(rows: readonly LoggedRow[], matches: (row: LoggedRow) => boolean): Committed[] {
    const versions = new Map<string, number>();
    const changes = rows.map((row) => {
      const version = row.after?.version ?? (versions.get(row.ref_id) ?? 0) + 1;
      versions.set(row.ref_id, version);
      return {
        xid: row.xid,
        id: row.ref_id,
        version,
        matches: row.after !== null && matches(row),
        isGone: row.after === null,
      };
    });
    const writers = this.#writersByChange();
    return [...Map.groupBy(changes, ({ xid }) => xid).values()].map((group) => {
      const known = group.map(({ id, version, isGone }) =>
        writers.get(keyOf({ id, version: isGone ? null : version })),
      );
      const writer = known.find((candidate) => candidate !== undefined);
      return { changes: group, ...(writer === undefined ? {} : { writer }) };
    });
  }

  /** What was answered but cannot be found in the log. */
  async lost(): Promise<string[]> {
    const committed = await this.committed(() => true);
    const found = new Set(
      committed.flatMap(({ changes }) =>
        changes.map(({ id, version, matches }) => keyOf({ id, version: matches ? version : null })),
      ),
    );
    return [...this.#writersByChange().keys()].filter((key) => !found.has(key));
  }

  #writersByChange(): Map<string, { name: string; step: number }> {
    const all = [...this.#done].flatMap(([name, done]) => done.map((change, step) => ({ name, step, change })));
    // A repeated answer belongs to the first who got it.
    return new Map(all.toReversed().map(({ name, step, change }) => [keyOf(change), { name, step }]));
  }
}

/** From now on keeps all that is appended to a log, for those who judge what others saw of it. */
export async function keepHistory(app: TestApp): Promise<void> {
  await app.sql("create table change_history (like change_log)");
  await app.sql("grant all on change_history to public");
  await app.sql(`
    create function keep_history() returns trigger language plpgsql as $$
      begin insert into change_history select new.*; return null; end $$`);
  await app.sql("create trigger keep_history after insert on change_log for each row execute function keep_history()");
}

/** A row of the log. */
export interface LoggedRow {
  readonly id: number;
  readonly xid: string;
  readonly task_id: string;
  readonly kind: "task" | "work_session";
  readonly ref_id: string;
  readonly tenant: string;
  readonly after: { readonly version: number; readonly status: string; readonly agent_type?: string } | null;
}

function keyOf({ id, version }: Done): string {
  return `${id}@${version ?? "gone"}`;
}

function pick<T>(from: readonly T[]): T;
function pick<T>(from: readonly T[]): T | undefined {
  return from[Math.floor(Math.random() * from.length)];
}
