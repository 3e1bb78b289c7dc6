import { createHash } from "node:crypto";
import { type Actor, Refusal } from "@helix-zed/domain";
import type { Reason } from "../domain/reason.ts";
import type { Turn } from "../domain/turn.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { queueTurn, requireRoom } from "./queue-turn.ts";
import type { ThreadScope } from "./thread-scope.ts";
import { keyFor, threadEnded, whyNoThread } from "./thread-view.ts";
import { wantInstance } from "./want-instance.ts";

/** What is to be said to the agent of a work session. */
export interface SendMessage {
  readonly workSessionId: string;
  readonly message: string;
  /** Stop the turn that runs, and go before those that wait. */
  readonly interrupt: boolean;
  /** Makes the call safe to repeat; empty: it is not. */
  readonly requestId: string;
}

/**
 * Queues a message as a turn. Refuses with THREAD_NOT_STARTED before the session has a thread, THREAD_ENDED or
 * WORK_SESSION_ENDED afterwards, REQUEST_ID_REUSED for another message under the same request id, TURN_QUEUE_FULL.
 */
export async function sendMessage(app: App, actor: Actor, command: SendMessage): Promise<Turn> {
  const now = app.world.now();
  const turn = await app.database.transact(async (unit) => {
    const key = keyFor(actor, command.workSessionId);
    const seen = await unit.threads.findInstance(key);
    if (seen === null) return null;
    const instance = await unit.instances.lockExisting(seen);
    const mapping = await unit.threads.lockVisible(key);
    if (mapping === null) return null;
    const scope: ThreadScope = { unit, mapping, limits: app.limits, now };
    const earlier = await findEarlier(unit, mapping.id, command);
    if (earlier !== null) return earlier;
    if (mapping.ended) throw threadEnded(mapping);
    await requireRoom(scope);
    if (command.interrupt) await stopCurrent(scope);
    if (mapping.leaseEpoch !== null) wantInstance(unit, instance, now);
    const callerRequestId = command.requestId === "" ? null : command.requestId;
    return queueTurn(app, scope, { ...command, callerRequestId, payloadHash: hashPayload(command) });
  });
  if (turn === null) throw await whyNoThread(app, actor, command.workSessionId);
  return turn;
}

async function findEarlier(unit: Unit, mappingId: string, command: SendMessage): Promise<Turn | null> {
  if (command.requestId === "") return null;
  const earlier = await unit.turns.ofCaller(mappingId, command.requestId);
  if (earlier === null || earlier.payloadHash === hashPayload(command)) return earlier;
  throw new Refusal<Reason>(
    "REQUEST_ID_REUSED",
    "The request id was used for another message of this thread.",
    { request_id: command.requestId, turn_id: earlier.id },
    { resource: { type: "Turn", name: earlier.id } },
  );
}

async function stopCurrent({ unit, mapping, now }: ThreadScope): Promise<void> {
  const current = await unit.turns.inFlight(mapping.id);
  if (current === null || current.cancelRequestedAt !== null) return;
  Object.assign(current, { cancelRequestedAt: now, cancelReason: "INTERRUPTED_BY_MESSAGE", updatedAt: now });
}

function hashPayload({ message, interrupt }: SendMessage): string {
  return createHash("sha256")
    .update(JSON.stringify([message, interrupt]))
    .digest("hex");
}
