import { type Overdue, overdueOf } from "../domain/overdue.ts";
import type { Turn } from "../domain/turn.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { endReported } from "./end-reported.ts";
import { endTurn, requeueTurn } from "./end-turn.ts";
import { expirePermissions } from "./expire-permissions.ts";
import { disconnectThreads, type LinkId } from "./close-link.ts";
import { beginStoppedAnew, concludeLost } from "./conclude-lost.ts";
import { fenceLinks } from "./fence-links.ts";
import { recordOpenFailure } from "./open-failure.ts";
import { unwantInstance } from "./stop-zed-instance.ts";
import type { ThreadScope } from "./thread-scope.ts";

// Deadlines
//
// What is overdue is decided in domain/overdue.ts: first for all threads at once, without locks; then again for each that
// seemed to be, under its lock. Nothing here prompts an agent that is connected: a turn that is silent is marked, not
// repeated. Only one that an earlier link may have lost goes back to the queue, where the editor takes no prompt twice, or
// has said that it is not at work on it.

/** Does what is overdue; call it every second or so. Returns how many things were. */
export async function expireDeadlines(app: App, { runner }: { readonly runner: string }): Promise<number> {
  const now = app.world.now();
  const watched = await app.database.transact(({ deadlines }) => deadlines.watched(runner));
  const late = watched.filter(({ facts }) => overdueOf(facts, app.limits, now) !== null);
  for (const { mappingId } of late) {
    const muteLink = await expireThread(app, runner, mappingId, now);
    if (muteLink !== null) await cutOff(app, muteLink);
  }
  const unanswered = await expirePermissions(app, { runner });
  const reported = await endReported(app, { runner });
  const released = await releaseInstances(app, runner, now);
  await app.database.transact(async (unit) => {
    for (const id of await unit.deadlines.instancesWaitingForTime(runner)) unit.ringInstance(id);
  });
  return late.length + unanswered + reported + released;
}

/** Does what is overdue in a thread; gives the link of an editor that does not answer. */
function expireThread(app: App, runner: string, mappingId: string, now: Date): Promise<LinkId | null> {
  return app.database.transact(async (unit) => {
    const mapping = await unit.threads.lock(mappingId);
    const watched = (await unit.deadlines.watched(runner, mappingId))[0];
    if (mapping === null || watched === undefined) return null;
    const overdue = overdueOf(watched.facts, app.limits, now);
    const turn = watched.turnId === null ? null : await unit.turns.find(mappingId, watched.turnId);
    if (overdue !== null) await expire({ unit, mapping, limits: app.limits, now }, overdue, turn);
    return overdue === "mute" ? { instanceId: mapping.zedSessionId, epoch: watched.facts.link.epoch } : null;
  });
}

/** Ends a link if it still is the current one: the editor connects again, and is asked again. */
function cutOff(app: App, { instanceId, epoch }: LinkId): Promise<void> {
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const instance = await unit.instances.lock(instanceId);
    if (instance === null || instance.linkEpoch !== epoch || !instance.connected) return;
    fenceLinks(unit, instance, now);
    await disconnectThreads(app, unit, instance, now, "LINK_LOST");
  });
}

async function expire(scope: ThreadScope, overdue: Overdue, turn: Turn | null): Promise<void> {
  const { limits, now } = scope;
  if (overdue === "open") {
    const error = `The editor did not open the thread within ${limits.openTimeoutMs} ms.`;
    // It has the turn, if there is one: saying nothing of the thread does not take it back.
    return recordOpenFailure(scope, error, { turnIsHeld: true });
  }
  if (turn === null) return;
  switch (overdue) {
    case "cancel":
      return endTurn(scope, turn, "interrupt", { reason: turn.cancelReason });
    case "turn":
      turn.cancelRequestedAt ??= now;
      return endTurn(scope, turn, "fail", {
        reason: "TURN_TIMED_OUT",
        error: `The turn took longer than ${limits.turnTimeoutMs} ms.`,
      });
    case "thread":
      turn.cancelRequestedAt ??= now;
      return endTurn(scope, turn, "fail", {
        reason: "THREAD_NOT_CREATED",
        error: `The editor did not begin a thread within ${limits.threadCreatedTimeoutMs} ms.`,
      });
    case "resend":
      return requeueTurn(scope, turn, { reason: "NOT_HEARD_OF" }, true);
    case "probe":
      return askAfter(scope, turn);
    case "mute":
      return;
    case "stopped":
      return beginStoppedAnew(scope, turn);
    case "unanswered":
      turn.cancelRequestedAt ??= now;
      return endTurn(scope, turn, "fail", {
        reason: "PERMISSION_NOT_ANSWERED",
        error: `Nobody answered what the agent asked within ${limits.permissionTimeoutMs} ms.`,
      });
    case "stall":
      turn.stalled = true;
      turn.updatedAt = now;
      scope.unit.log.turn(scope.mapping, turn.id);
  }
}

/** The editor is to be asked after a turn; one that has no name there and says nothing counts as over. */
async function askAfter(scope: ThreadScope, turn: Turn): Promise<void> {
  const { unit, mapping } = scope;
  if (turn.nameInEditor === "") return concludeLost(scope, turn);
  const instance = await unit.instances.find(mapping.zedSessionId);
  turn.probeEpoch = instance?.linkEpoch ?? 0;
  turn.stalled = true;
  unit.log.turn(mapping, turn.id);
  unit.ringInstance(mapping.zedSessionId);
}

/** Lets go of processes whose last thread has ended a moment ago: it may take that long to tell them to stop. */
async function releaseInstances(app: App, runner: string, now: Date): Promise<number> {
  const endedAfter = new Date(now.getTime() - app.limits.releaseDelayMs);
  const ids = await app.database.transact(({ deadlines }) => deadlines.instancesWithoutThreads(runner, endedAfter));
  for (const id of ids) {
    await app.database.transact((unit) => releaseInstance(unit, id, { runner, endedAfter, now }));
  }
  return ids.length;
}

async function releaseInstance(
  unit: Unit,
  id: string,
  { runner, endedAfter, now }: { readonly runner: string; readonly endedAfter: Date; readonly now: Date },
): Promise<void> {
  const instance = await unit.instances.lock(id);
  // Threads are added under the instance's lock: what is seen now stays true until the commit.
  const idle = await unit.deadlines.instancesWithoutThreads(runner, endedAfter);
  if (instance !== null && idle.includes(id)) unwantInstance(unit, instance, { now, reason: "NO_THREADS" });
}
