import { type Actor, Refusal } from "@helix-zed/domain";
import type { Reason } from "../domain/reason.ts";
import type { Turn } from "../domain/turn.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { endTurn } from "./end-turn.ts";
import type { ThreadScope } from "./thread-scope.ts";
import { keyFor, threadNotFound } from "./thread-view.ts";

/** Which turn is to stop. */
export interface CancelTurn {
  readonly workSessionId: string;
  /** Empty: the one that runs. */
  readonly turnId: string;
}

/**
 * Takes a queued turn back, or asks the editor to stop the one that runs: it ends when the editor has, or soon after.
 * One that has ended stays as it is. Refuses with TURN_NOT_FOUND, NO_TURN_RUNNING.
 */
export function cancelTurn(app: App, actor: Actor, { workSessionId, turnId }: CancelTurn): Promise<Turn> {
  const now = app.world.now();
  return app.database.transact(async (unit) => {
    const mapping = await unit.threads.lockVisible(keyFor(actor, workSessionId));
    if (mapping === null) throw threadNotFound(workSessionId);
    const scope: ThreadScope = { unit, mapping, limits: app.limits, now };
    const turn = await requireTurn(unit, mapping.id, turnId);
    if (turn.inFlight) askToStop(scope, turn);
    else await endTurn(scope, turn, "interrupt", { reason: "CANCELLED" });
    return turn;
  });
}

function askToStop({ unit, mapping, now }: ThreadScope, turn: Turn): void {
  if (turn.cancelRequestedAt !== null) return;
  Object.assign(turn, { cancelRequestedAt: now, cancelReason: "CANCELLED", updatedAt: now });
  unit.ringInstance(mapping.zedSessionId);
}

async function requireTurn(unit: Unit, mappingId: string, turnId: string): Promise<Turn> {
  const turn = turnId === "" ? await unit.turns.inFlight(mappingId) : await unit.turns.find(mappingId, turnId);
  if (turn !== null) return turn;
  if (turnId === "") throw new Refusal<Reason>("NO_TURN_RUNNING", "No turn runs in this thread.");
  const resource = { type: "Turn", name: turnId };
  throw new Refusal<Reason>("TURN_NOT_FOUND", "The thread has no such turn.", { turn_id: turnId }, { resource });
}
