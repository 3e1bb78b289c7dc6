// Live views: what a watch has shown, as tables that are always whole
//
// A view follows one watch. Its `current` is a new object after each change and the same object until then, so it can be
// handed to anything that renders when a value changes (`useSyncExternalStore`, a signal). A first snapshot, and one that
// replaces what could not be resumed, shows at once and not piece by piece: nothing flickers.

import type { WatchTasksResponse } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import type { Task } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import type { WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WatchWorkSessionsResponse } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import type { Entry, Turn, ZedThread } from "@helix-zed/gen/helix/zed/v1/zed_thread_pb.ts";
import type { WatchZedThreadResponse } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { ResourceTable } from "./resource-table.ts";
import type { Watch, WatchMessage } from "./watch.ts";
import type { WatchStatus } from "./watch-status.ts";

/** What a view shows of its resources, and how its connection is. */
export type Shown<Rows> = Rows & {
  /** Whether a snapshot was ever complete. */
  readonly synced: boolean;
  readonly status: WatchStatus;
};

/** What a view keeps, and how a message changes it. */
interface Content<Rows, Message> {
  readonly tables: readonly Pick<ResourceTable<never>, "begin" | "complete">[];
  rows(): Rows;
  apply(message: Message): void;
}

/** Follows a watch from when it is made until the watch is over or `close` is called. */
export class LiveView<Rows, Message extends WatchMessage> {
  /** Settles when the watch is over: rejects with the server's error if it was refused. */
  readonly finished: Promise<void>;
  readonly #watch: Watch<Message>;
  readonly #content: Content<Rows, Message>;
  readonly #listeners = new Set<() => void>();
  #current: Shown<Rows>;

  constructor(watch: Watch<Message>, content: Content<Rows, Message>) {
    this.#watch = watch;
    this.#content = content;
    this.#current = this.#shown(false);
    watch.subscribe(() => this.#show(this.#current.synced));
    this.finished = this.#follow();
    // Who does not ask is told by the status.
    this.finished.catch(() => {});
  }

  /** What is there now. */
  get current(): Shown<Rows> {
    return this.#current;
  }

  /** Calls `listener` after each change, until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Ends the watch. What was shown stays. */
  close(): void {
    this.#watch.close();
  }

  async #follow(): Promise<void> {
    for await (const event of this.#watch) {
      if (event.kind === "reset") for (const table of this.#content.tables) table.begin();
      else this.#apply(event.message);
    }
  }

  #apply(message: Message): void {
    const { case: kind } = message.event;
    if (kind === "synced") {
      for (const table of this.#content.tables) table.complete();
      this.#show(true);
    } else if (kind === "changed" || kind === "deleted") {
      this.#content.apply(message);
      if (this.#watch.status.state === "live") this.#show(this.#current.synced);
    }
  }

  #show(synced: boolean): void {
    this.#current = this.#shown(synced);
    for (const listener of this.#listeners) listener();
  }

  #shown(synced: boolean): Shown<Rows> {
    return { ...this.#content.rows(), synced, status: this.#watch.status };
  }
}

/** What a view of tasks shows, by id. */
export interface TaskRows {
  readonly tasks: ReadonlyMap<string, Task>;
  /** Empty unless the watch includes them. */
  readonly workSessions: ReadonlyMap<string, WorkSession>;
}

/** A live view of tasks, and of their work sessions if the watch includes them. */
export function liveTasks(watch: Watch<WatchTasksResponse>): LiveView<TaskRows, WatchTasksResponse> {
  const tasks = new ResourceTable<Task>();
  const workSessions = new ResourceTable<WorkSession>();
  return new LiveView(watch, {
    tables: [tasks, workSessions],
    rows: () => ({ tasks: tasks.rows, workSessions: workSessions.rows }),
    apply: ({ event }) => {
      if (event.case !== "changed" && event.case !== "deleted") return;
      const { resource } = event.value;
      if (resource.case === "task") tasks.put(resource.value);
      if (resource.case === "workSession") workSessions.put(resource.value);
      if (resource.case === "taskId") tasks.drop(resource.value);
      if (resource.case === "workSessionId") workSessions.drop(resource.value);
    },
  });
}

/** What a view of work sessions shows, by id. */
export interface WorkSessionRows {
  readonly workSessions: ReadonlyMap<string, WorkSession>;
}

/** A live view of work sessions. */
export function liveWorkSessions(
  watch: Watch<WatchWorkSessionsResponse>,
): LiveView<WorkSessionRows, WatchWorkSessionsResponse> {
  const workSessions = new ResourceTable<WorkSession>();
  return new LiveView(watch, {
    tables: [workSessions],
    rows: () => ({ workSessions: workSessions.rows }),
    apply: ({ event }) => {
      if (event.case === "deleted") workSessions.drop(event.value.workSessionId);
      if (event.case === "changed" && event.value.workSession !== undefined) workSessions.put(event.value.workSession);
    },
  });
}

/** What a view of a thread shows, by id. */
export interface ThreadRows {
  /** One at most. */
  readonly threads: ReadonlyMap<string, ZedThread>;
  readonly turns: ReadonlyMap<string, Turn>;
  readonly entries: ReadonlyMap<string, Entry>;
}

/** A live view of a thread with its turns and its transcript. */
export function liveThread(watch: Watch<WatchZedThreadResponse>): LiveView<ThreadRows, WatchZedThreadResponse> {
  const threads = new ResourceTable<ZedThread>();
  const turns = new ResourceTable<Turn>();
  const entries = new ResourceTable<Entry>();
  return new LiveView(watch, {
    tables: [threads, turns, entries],
    rows: () => ({ threads: threads.rows, turns: turns.rows, entries: entries.rows }),
    apply: ({ event }) => {
      if (event.case !== "changed" && event.case !== "deleted") return;
      const { resource } = event.value;
      if (resource.case === "zedThread") threads.put(resource.value);
      if (resource.case === "turn") turns.put(resource.value);
      if (resource.case === "entry") entries.put(resource.value);
      if (resource.case === "zedThreadMappingId") threads.drop(resource.value);
      if (resource.case === "entryId") entries.drop(resource.value);
    },
  });
}
