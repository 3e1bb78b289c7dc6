import { Refusal } from "@helix-zed/domain";
import type { Reason } from "../domain/reason.ts";
import type { Turn, TurnOrigin } from "../domain/turn.ts";
import type { App } from "./app.ts";
import type { ThreadScope } from "./thread-scope.ts";

/** What is asked of the agent. */
export interface QueueTurn {
  readonly message: string;
  readonly interrupt: boolean;
  readonly callerRequestId: string | null;
  readonly payloadHash: string | null;
  readonly origin?: TurnOrigin;
}

/** Adds a turn at the end of the queue; every turn there is began here. */
export function queueTurn(app: App, { unit, mapping, now }: ThreadScope, asked: QueueTurn): Turn {
  mapping.turnCount += 1;
  return addTurn(app, { unit, mapping, now }, mapping.turnCount, asked);
}

/** Queues the session's own prompt, once; it is turn 1, whatever was queued before. */
export function queueFirstPrompt(
  app: App,
  scope: Pick<ThreadScope, "unit" | "mapping" | "now">,
  message: string,
): void {
  if (scope.mapping.firstPromptQueued || message === "") return;
  scope.mapping.firstPromptQueued = true;
  addTurn(app, scope, 1, { message, interrupt: false, callerRequestId: null, payloadHash: null });
}

/** Refuses where too many turns wait already. */
export async function requireRoom({ unit, mapping, limits }: ThreadScope): Promise<void> {
  const waiting = await unit.turns.countQueued(mapping.id);
  if (waiting < limits.queuedTurnsMax) return;
  throw new Refusal<Reason>(
    "TURN_QUEUE_FULL",
    `${waiting} messages wait in this thread already; that is the most there may be.`,
    { limit: String(limits.queuedTurnsMax) },
    { retryAfterMs: 60_000 },
  );
}

function addTurn(
  { world }: App,
  { unit, mapping, now }: Pick<ThreadScope, "unit" | "mapping" | "now">,
  number: number,
  asked: QueueTurn,
): Turn {
  const turn = unit.turns.add({ ...asked, id: world.newId("trn"), mappingId: mapping.id, number, now });
  // A thread that could not be opened was left alone until there is something to say in it.
  if (mapping.openFailures > 0) Object.assign(mapping, { openFailures: 0, openNotBefore: null, openSentEpoch: 0 });
  mapping.updatedAt = now;
  unit.log.turn(mapping, turn.id);
  unit.ringInstance(mapping.zedSessionId);
  return turn;
}
