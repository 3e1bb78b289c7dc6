// A turn whose end was lost
//
// The editor was asked to cancel a turn of which nothing was heard since the link had broken. Its answer is proof of
// whether it was at work: it cancels whatever runs in the thread, or says that nothing does.
//
//   nothing runs, and the turn had said something     it is over, and its end was lost with the link: completed
//   nothing runs, and it had said nothing             it was lost itself, or came to nothing: it goes back to the queue
//   it was at work                                    it is stopped now, for nothing: when that is done it is begun anew
import type { Turn } from "../domain/turn.ts";
import { endTurn, requeueTurn } from "./end-turn.ts";
import type { ThreadScope } from "./thread-scope.ts";

/** The editor is not at work on the turn. */
export async function concludeLost(scope: ThreadScope, turn: Turn): Promise<void> {
  if (await scope.unit.entries.hasAnswer(turn)) return endTurn(scope, turn, "complete", { reason: "COMPLETION_LOST" });
  return requeueTurn(scope, turn, { reason: "NOT_HEARD_OF", error: "The editor has not said a word about the turn." });
}

/** The editor was at work on the turn, and was stopped by being asked. */
export function beginStoppedAnew(scope: ThreadScope, turn: Turn): Promise<void> {
  const error = "Nothing was heard of the turn after the link had broken, and asking after it has stopped it.";
  return requeueTurn(scope, turn, { reason: "SILENT_AFTER_RECONNECT", error });
}
