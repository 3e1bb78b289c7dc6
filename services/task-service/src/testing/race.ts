// Races: two do something to one task at the same moment, each at a replica of its own
//
// The law is that a race ends as if one of the two had been first. So each pair is also run one after the other, in both
// orders, and a race must end like one of these: the same answers, the same states, the same history. What is written
// down of an end has no ids and no times in it, so that ends can be compared.

import { Refusal } from "@helix-zed/domain";
import { bindHelixSession } from "../application/bind-helix-session.ts";
import { claimWorkSession } from "../application/claim-work-session.ts";
import { createWorkSession } from "../application/create-work-session.ts";
import { deleteTask } from "../application/delete-task.ts";
import { expireLeases } from "../application/expire-leases.ts";
import { releaseWorkSession } from "../application/release-work-session.ts";
import { renewLeases } from "../application/renew-leases.ts";
import { updateTaskStatus } from "../application/update-task-status.ts";
import { type ReportedStatus, updateWorkSessionStatus } from "../application/update-work-session-status.ts";
import { rollUp } from "../domain/roll-up.ts";
import type { TaskAction } from "../domain/task-lifecycle.ts";
import type { Course, Logged, Standing } from "./course.ts";
import { aSession, person, runner, type TestApp } from "./test-app.ts";

/** Where a race begins: a task with two sessions, of which the first is raced for. */
export interface Track {
  readonly taskId: string;
  readonly sessionId: string;
  readonly epoch: number;
  readonly taskVersion: number;
  readonly sessionVersion: number;
}

/** The states of the first session that races begin in; `expired` is active under a lease that has run out. */
export const starts = ["pending", "claimed", "active", "expired"] as const;

/** One of them. */
export type Start = (typeof starts)[number];

/** What one of the two does; gives a word for what came of it, if that says more than that it was done. */
export type Contestant = (app: TestApp, track: Track) => Promise<unknown>;

/** Everything that can be done to a session or its task. */
export const contestants = {
  "claim by the first runner": claim("first"),
  "claim by the second runner": claim("second"),
  renew: async (app, { sessionId: workSessionId, epoch }) => {
    const { lostIds } = await renewLeases(app, runner, { runner: "first", leases: [{ workSessionId, epoch }] });
    return lostIds.length === 0 ? "renewed" : "lost";
  },
  release: (app, { sessionId: workSessionId, epoch }) =>
    releaseWorkSession(app, runner, { workSessionId, epoch, reason: "" }),
  expire: (app) => expireLeases(app).then(() => undefined),
  "runner reports active": report("active"),
  "runner reports completed": report("completed"),
  "runner reports failed": report("failed"),
  "user completes session": say("completed"),
  "user cancels session": say("cancelled"),
  "user cancels session as seen": say("cancelled", true),
  "bind to one": bind("one"),
  "bind to another": bind("another"),
  "create session": (app, { taskId }) =>
    createWorkSession(app, person(), {
      ...aSession("new"),
      taskId,
      helixSessionId: null,
      parentWorkSessionId: null,
      spawnedBySessionId: null,
      requestId: null,
    }),
  "complete task": end("complete"),
  "fail task": end("fail"),
  "cancel task": end("cancel"),
  "cancel task as seen": end("cancel", true),
  "delete task": (app, { taskId }) => deleteTask(app, person(), { taskId }),
} as const satisfies Record<string, Contestant>;

/** One of them. */
export type ContestantName = keyof typeof contestants;

function claim(name: string): Contestant {
  return (app, { sessionId: workSessionId }) => claimWorkSession(app, runner, { workSessionId, runner: name });
}

function report(status: ReportedStatus): Contestant {
  return (app, { sessionId: workSessionId, epoch: leaseEpoch }) =>
    updateWorkSessionStatus(app, runner, { workSessionId, status, reason: "", result: null, leaseEpoch });
}

function say(status: ReportedStatus, asSeen = false): Contestant {
  return (app, { sessionId: workSessionId, sessionVersion }) => {
    const expected = asSeen ? { expectedVersion: sessionVersion } : {};
    return updateWorkSessionStatus(app, person(), { workSessionId, status, reason: "", result: null, ...expected });
  };
}

function bind(name: string): Contestant {
  return (app, { sessionId: workSessionId }) =>
    bindHelixSession(app, person(), { workSessionId, helixSessionId: `${name}-of-${workSessionId}` });
}

function end(action: TaskAction, asSeen = false): Contestant {
  return (app, { taskId, taskVersion }) => {
    const expected = asSeen ? { expectedVersion: taskVersion } : {};
    return updateTaskStatus(app, person(), { taskId, action, reason: "", ...expected });
  };
}

/** Lays out a task for one race. */
export async function layOut(course: Course, start: Start): Promise<Track> {
  const [app] = course.replicas;
  const { id: taskId } = await app.createTask({ workSessions: [aSession("a"), aSession("b")] });
  const { sessions } = await course.look(taskId);
  const sessionId = sessions[0]?.id ?? "";
  const track = { taskId, sessionId, epoch: 1, taskVersion: 1, sessionVersion: 1 };
  if (start === "pending") return track;
  await claim("first")(app, track);
  if (start === "active" || start === "expired") await report("active")(app, track);
  if (start === "expired") await course.letLeaseRunOut(sessionId);
  const now = await course.look(taskId);
  return { ...track, taskVersion: now.task?.version ?? 0, sessionVersion: now.sessions[0]?.version ?? 0 };
}

/** What came of one contestant. */
export async function outcomeOf(contestant: Contestant, app: TestApp, track: Track): Promise<string> {
  try {
    const word = await contestant(app, track);
    return typeof word === "string" ? word : "done";
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

/** How things stand after a race, in words that can be compared. Throws what can be true of no end. */
export async function endOf(course: Course, { taskId }: Track): Promise<string> {
  const { task, sessions, log } = await course.look(taskId);
  if (task !== null) requireRolledUp(task, sessions);
  requireWholeHistory(log, [...(task === null ? [] : [task]), ...sessions]);
  const ends = sessions.map(({ helix_session_id: bound, ...session }) =>
    [
      session.name,
      session.status,
      session.status_reason,
      session.attempt,
      session.lease_epoch,
      session.runner,
      bound.split("-of-")[1] && bound.slice(0, 3),
      session.version,
    ].join(),
  );
  return JSON.stringify([task?.status ?? "gone", task?.status_reason, task?.version, ends, log.length]);
}

function requireRolledUp(task: NonNullable<Standing["task"]>, sessions: Standing["sessions"]): void {
  const statuses = sessions.map(({ status }) => status);
  const due = rollUp({ taskType: task.task_type, status: task.status }, statuses).actions;
  if (due.length > 0) throw new Error(`The task is ${task.status}, and its roll-up is due: ${due.join(", ")}`);
}

/** Each resource is logged once for each of its versions, in order, up to what it is now; nothing follows its end. */
function requireWholeHistory(log: readonly Logged[], present: readonly Logged[]): void {
  const now = new Map(present.map(({ id, version }) => [id, version]));
  for (const [id, history] of Map.groupBy(log, (row) => row.id)) {
    const versions = history.map(({ version }) => version);
    const isGone = !now.has(id);
    const expected = versions.map((_, index) => (isGone && index === versions.length - 1 ? null : index + 1));
    const isWhole =
      JSON.stringify(versions) === JSON.stringify(expected) && (isGone || versions.at(-1) === now.get(id));
    if (!isWhole) throw new Error(`${id} is ${now.get(id) ?? "gone"}, and its history is ${JSON.stringify(versions)}`);
  }
}
