import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { nameEditorThread } from "./editor-threads.ts";
import { clean, openEvent, showAlive } from "./event-scope.ts";
import { counted, type EventSource, ignored, type ReceivedEvent } from "./received-event.ts";

/** A thread has a new title. */
export async function receiveTitle(
  app: App,
  unit: Unit,
  source: EventSource,
  data: SyncEvent<"thread_title_changed">["data"],
): Promise<ReceivedEvent> {
  const scope = await openEvent(app, unit, source, { threadId: data.acp_thread_id, requestId: "" });
  if (scope === null) return nameEditorThread(unit, source, data);
  if (scope.standing !== "current") return ignored("a newer link has taken over");
  showAlive(scope);
  const title = clean(app, scope, data.title);
  if (scope.mapping.title === title) return counted;
  scope.mapping.title = title;
  scope.mapping.updatedAt = scope.now;
  unit.log.mapping(scope.mapping);
  return counted;
}
