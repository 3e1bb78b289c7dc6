// Waiting for sessions
//
// An agent that has spawned others wants their results, and nobody knows how long that takes. Agents give a tool call
// between one minute and ten, so a wait is bounded and can be taken up again: at its time limit it answers what has ended
// so far, and the agent calls once more. All that it depends on is in task-service, so any bridge can serve the next call.
//
// It follows the task's watch and wakes within a moment of a change. It also comes to an end when the agent's own session
// has ended, when the bridge is to stop, and when nobody waits for the answer any more. A client that asked for progress
// is told of it every few seconds, which also keeps its own time limit from passing, if it is one that counts so.
import { type FollowedEvent, isWorkSessionOver, Watch } from "@helix-zed/client";
import { Refusal } from "@helix-zed/domain";
import type { WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WatchWorkSessionsResponse } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { z } from "zod";
import type { Reason } from "../../domain/reason.ts";
import { isSpawnedBy, sessionFacts, statusWord } from "../session-facts.ts";
import { defineTool, type ToolCall } from "../tool.ts";
import { WaitedSessions } from "../waited-sessions.ts";
import { sessionId } from "./session-id.ts";

const WAIT_SECONDS_MAX = 540;
const WAIT_SECONDS_USUAL = 50;
const SESSIONS_MAX = 50;
const RESULT_CHARACTERS_MAX = 4_000;
const PROGRESS_INTERVAL_MS = 5_000;

const input = z.strictObject({
  work_session_ids: z
    .array(sessionId)
    .min(1)
    .max(SESSIONS_MAX)
    .optional()
    .describe("Which sessions to wait for, at most 50. Left out: all that you have spawned."),
  until: z
    .enum(["all", "any"])
    .default("all")
    .describe("all: until every one of them has ended. any: until at least one has."),
  timeout_seconds: z
    .number()
    .int()
    .min(1)
    .max(WAIT_SECONDS_MAX)
    .default(WAIT_SECONDS_USUAL)
    .describe("How long to wait at most. Usually 50; more only if you know that your tool calls may take longer."),
});

type Input = z.output<typeof input>;

/** Lets an agent wait for the results of others. */
export const waitForWorkSessions = defineTool({
  name: "wait_for_work_sessions",
  title: "Wait for work sessions",
  description:
    "Waits until work sessions of this task have ended, and answers with their results. If that takes longer than the " +
    "time limit, it answers with what has ended so far and complete: false; call it again to go on waiting, nothing is " +
    "lost in between. A result longer than 4,000 characters is cut: get_work_session has the whole.",
  input,
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: waitForSessions,
});

async function waitForSessions(wanted: Input, call: ToolCall): Promise<object> {
  const all = await call.sessions.all();
  const own = all.find(({ id }) => id === call.agent.session.workSessionId) ?? (await call.sessions.own());
  const waited = new WaitedSessions(chosen(wanted, all, own), wanted.until);
  if (!waited.isDone) await follow(waited, wanted.timeout_seconds, call);
  return {
    complete: waited.isDone,
    ended: [
      ...waited.ended.map((session) => sessionFacts(session, own, RESULT_CHARACTERS_MAX)),
      ...waited.deleted.map(({ id, name }) => ({ id, name, status: "deleted" })),
    ],
    still_running: waited.running.map((session) => sessionFacts(session, own, RESULT_CHARACTERS_MAX)),
  };
}

function chosen({ work_session_ids: ids }: Input, all: readonly WorkSession[], own: WorkSession): WorkSession[] {
  if (ids === undefined) {
    const spawned = all.filter((session) => isSpawnedBy(session, own));
    if (spawned.length > 0) return spawned.slice(-SESSIONS_MAX);
    throw refusal("NOTHING_TO_WAIT_FOR", "You have spawned no work sessions. Say which ones to wait for.");
  }
  if (ids.includes(own.id)) throw refusal("WAIT_FOR_ITSELF", "A work session cannot wait for its own end.");
  const unknown = ids.filter((id) => !all.some((session) => session.id === id));
  if (unknown.length === 0) return all.filter(({ id }) => ids.includes(id));
  throw refusal("WORK_SESSION_NOT_FOUND", `These are no work sessions of this task: ${unknown.join(", ")}.`);
}

function refusal(reason: Reason, message: string): Refusal<Reason> {
  return new Refusal(reason, message);
}

/** Follows the sessions until what is waited for has happened, or the wait is over. */
async function follow(waited: WaitedSessions, timeoutSeconds: number, call: ToolCall): Promise<void> {
  const { app, agent, signal, stopping, workSessions } = call;
  const done = new AbortController();
  const over = AbortSignal.any([signal, stopping, done.signal]);
  const timing = keepTime(waited, timeoutSeconds, { call, over }).finally(() => done.abort());
  // As the bridge itself, which may have many watches; the task is the agent's own.
  const open = (resumeToken: string, ending: AbortSignal) =>
    workSessions.watchWorkSessions({ taskId: agent.taskId, resumeToken }, { signal: ending, timeoutMs: 0 });
  try {
    for await (const event of new Watch(open, { signal: over, clock: app.world })) {
      waited.hear(event);
      if (waited.isDone || saysThatEnded(event, agent.session.workSessionId)) break;
    }
  } finally {
    done.abort();
    await timing;
  }
  signal.throwIfAborted();
}

/** Resolves when the time is up or the wait is over; tells of the progress meanwhile. */
async function keepTime(
  waited: WaitedSessions,
  timeoutSeconds: number,
  { call, over }: { readonly call: ToolCall; readonly over: AbortSignal },
): Promise<void> {
  const { world } = call.app;
  const beganAt = world.now().getTime();
  await call.progress(0, timeoutSeconds, stateOf(waited));
  for (let leftMs = timeoutSeconds * 1_000; leftMs > 0 && !over.aborted;) {
    await world.sleep(Math.min(PROGRESS_INTERVAL_MS, leftMs), over).catch(() => {});
    const elapsedMs = world.now().getTime() - beganAt;
    leftMs = timeoutSeconds * 1_000 - elapsedMs;
    if (!over.aborted) await call.progress(Math.round(elapsedMs / 1_000), timeoutSeconds, stateOf(waited));
  }
}

function stateOf({ ended, running }: WaitedSessions): string {
  const left = running.map(({ name, status }) => `${name} (${statusWord(status)})`).join(", ");
  return `${ended.length} of ${ended.length + running.length} have ended; waiting for ${left}`;
}

/** An agent whose own session is over has nobody to tell. */
function saysThatEnded(event: FollowedEvent<WatchWorkSessionsResponse>, ownId: string): boolean {
  if (event.kind !== "message" || event.message.event.case !== "changed") return false;
  const { workSession } = event.message.event.value;
  return workSession?.id === ownId && isWorkSessionOver(workSession);
}
