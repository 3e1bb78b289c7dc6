import { Code, ConnectError } from "@connectrpc/connect";
import { type Task, TaskStatus } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { type WorkSession, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { type Turn, TurnStatus } from "@helix-zed/gen/helix/zed/v1/zed_thread_pb.ts";
import type { Client } from "./client.ts";
import type { FollowedEvent, Watch, WatchMessage, WatchOptions } from "./watch.ts";

/** Whether a task is completed, failed or cancelled. */
export function isTaskOver({ status }: Task): boolean {
  return status === TaskStatus.COMPLETED || status === TaskStatus.FAILED || status === TaskStatus.CANCELLED;
}

/** Whether a work session is completed, failed or cancelled. */
export function isWorkSessionOver({ status }: WorkSession): boolean {
  const { COMPLETED, FAILED, CANCELLED } = WorkSessionStatus;
  return status === COMPLETED || status === FAILED || status === CANCELLED;
}

/** Whether a turn is completed, failed or interrupted. */
export function isTurnOver({ status }: Turn): boolean {
  return status === TurnStatus.COMPLETED || status === TurnStatus.FAILED || status === TurnStatus.INTERRUPTED;
}

/**
 * Waits until the task is as wanted, at least once: until it has ended, unless told otherwise. Goes on over broken
 * connections and restarts. Rejects with NOT_FOUND if there is no such task or it is deleted, and with the signal's
 * reason when that aborts.
 */
export function waitForTask(
  client: Client,
  id: string,
  until: (task: Task) => boolean = isTaskOver,
  options: WatchOptions = {},
): Promise<Task> {
  return firstOf(client.watchTasks({ taskIds: [id] }, options), options, ({ event }) => {
    if (event.case === "deleted" && event.value.resource.value === id) throw gone("task", id);
    if (event.case !== "changed" || event.value.resource.case !== "task") return null;
    return until(event.value.resource.value) ? event.value.resource.value : null;
  });
}

/** As {@link waitForTask}, for a work session. */
export async function waitForWorkSession(
  client: Client,
  id: string,
  until: (session: WorkSession) => boolean = isWorkSessionOver,
  options: WatchOptions = {},
): Promise<WorkSession> {
  const { signal } = options;
  const { workSession } = await client.workSessions.getWorkSession({ id }, signal === undefined ? {} : { signal });
  const taskId = workSession?.taskId ?? "";
  return firstOf(client.watchWorkSessions({ taskId }, options), options, ({ event }) => {
    if (event.case === "deleted" && event.value.workSessionId === id) throw gone("work session", id);
    const seen = event.case === "changed" ? event.value.workSession : undefined;
    return seen?.id === id && until(seen) ? seen : null;
  });
}

/** As {@link waitForTask}, for a turn of a work session's thread. */
export function waitForTurn(
  client: Client,
  { workSessionId, turnId }: { readonly workSessionId: string; readonly turnId: string },
  until: (turn: Turn) => boolean = isTurnOver,
  options: WatchOptions = {},
): Promise<Turn> {
  return firstOf(client.watchZedThread({ workSessionId }, options), options, ({ event }) => {
    if (event.case === "deleted" && event.value.resource.case === "zedThreadMappingId") throw gone("turn", turnId);
    if (event.case !== "changed" || event.value.resource.case !== "turn") return null;
    const turn = event.value.resource.value;
    return turn.id === turnId && until(turn) ? turn : null;
  });
}

async function firstOf<Message extends WatchMessage, Found>(
  watch: Watch<Message>,
  { signal }: WatchOptions,
  find: (message: Message) => Found | null,
): Promise<Found> {
  for await (const event of watch as AsyncIterable<FollowedEvent<Message>>) {
    const found = event.kind === "message" ? find(event.message) : null;
    if (found !== null) return found;
  }
  signal?.throwIfAborted();
  throw new ConnectError("the watch ended before what was waited for", Code.FailedPrecondition);
}

function gone(kind: string, id: string): ConnectError {
  return new ConnectError(`the ${kind} ${id} is gone`, Code.NotFound);
}
