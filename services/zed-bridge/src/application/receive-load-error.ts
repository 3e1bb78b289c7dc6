import type { SyncEvent } from "@helix-zed/sync-protocol";
import { saysThreadIsMissing } from "../domain/editor-error.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { endTurn, requeueTurn } from "./end-turn.ts";
import { clean, type EventScope, openEvent } from "./event-scope.ts";
import { headTurn, recordOpenFailure } from "./open-failure.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";
import { moveThread } from "./thread-scope.ts";

/** A thread could not be loaded, or nothing be sent to it. Only who says that it does not exist makes us forget it. */
export async function receiveLoadError(
  app: App,
  unit: Unit,
  source: EventSource,
  { acp_thread_id: threadId, request_id: requestId, error: words }: SyncEvent<"thread_load_error">["data"],
): Promise<ReceivedEvent> {
  if (!(await unit.instances.setReady(source.instanceId, source.epoch))) return ignored("a newer link has taken over");
  const scope = await openEvent(app, unit, source, { threadId, requestId });
  if (scope === null) return ignored("the thread is not known");
  if (scope.mapping.ended) return ignored("the thread has ended");
  if (scope.mapping.zedThreadId === null) return ignored("the thread was given up already");
  const error = clean(app, scope, words);
  if (saysThreadIsMissing(words, scope.mapping.zedThreadId)) await replaceThread(scope, error);
  else await recordOpenFailure(scope, error);
  return counted;
}

/** The thread does not exist any more: the same turn begins a new one, once. */
async function replaceThread(scope: EventScope, error: string): Promise<void> {
  const { mapping } = scope;
  const head = await headTurn(scope);
  if (head !== null && mapping.replacedForTurnId === head.id) {
    return endTurn(scope, head, "fail", { reason: "THREAD_LOST", error });
  }
  mapping.replacedForTurnId = head?.id ?? null;
  mapping.zedThreadId = null;
  Object.assign(mapping, { openedEpoch: 0, openSentEpoch: 0, openFailures: 0, openNotBefore: null });
  moveThread(scope, "lose", "CONTEXT_LOST");
  if (head !== null) await requeueTurn(scope, head, { reason: "CONTEXT_LOST", error });
}
