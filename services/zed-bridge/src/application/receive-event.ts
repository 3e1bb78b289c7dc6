import { violatedConstraint } from "@helix-zed/persistence";
import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { adoptUnannounced } from "./adopt-unannounced.ts";
import { hearUserCreatedThread } from "./editor-threads.ts";
import { receiveCancelled } from "./receive-cancelled.ts";
import { receiveCompletion } from "./receive-completion.ts";
import { receiveEntry } from "./receive-entry.ts";
import { receiveLoadError } from "./receive-load-error.ts";
import { receivePermissionRequested, receivePermissionResolved } from "./receive-permission.ts";
import { receiveReadiness } from "./receive-readiness.ts";
import { receiveTitle } from "./receive-title.ts";
import { receiveThreadCreated } from "./receive-thread-created.ts";
import { receiveTurnError } from "./receive-turn-error.ts";
import { type EventSource, ignored, type ReceivedEvent, threadUnknown } from "./received-event.ts";

// Receiving events
//
// Everything that an editor says passes here, one event in one transaction. Who is meant is (instance, thread); a request
// id confirms or rejects, and is a turn's for its life. Whether an event still counts is decided in domain/standing.ts,
// where an entry belongs in domain/entry-place.ts. The rules, whatever arrives, in whatever order, how often:
//
//   - a turn that has ended stays as it ended; late output of it is stored as its content, and moves nothing
//   - an event for an unknown thread or request makes no row, but for what a person says in a thread of his own
//   - one thread of an editor has one mapping, one mapping one thread: the first name that it is given stays
//   - the same event again changes nothing
//   - readiness decides what may be sent, never what is received

/** Something an editor said, and on which connection. */
export interface ReceiveEvent extends EventSource {
  readonly event: SyncEvent;
}

/** Takes in whatever an editor says. Never refuses: what makes no sense is ignored, with the reason. */
export async function receiveEvent(app: App, { instanceId, epoch, event }: ReceiveEvent): Promise<ReceivedEvent> {
  const source = { instanceId, epoch };
  const take = (): Promise<ReceivedEvent> => app.database.transact((unit) => dispatch(app, unit, source, event));
  try {
    const received = await take();
    return received === threadUnknown && (await adoptUnannounced(app, source, event)) ? await take() : received;
  } catch (error) {
    // Two links of one instance have given the same name at the same time.
    if (violatedConstraint(error) === "zed_thread_mappings_zed_session_id_zed_thread_id_key") {
      return ignored("the thread is another session's");
    }
    throw error;
  }
}

async function dispatch(app: App, unit: Unit, source: EventSource, event: SyncEvent): Promise<ReceivedEvent> {
  switch (event.event_type) {
    case "message_added":
      return receiveEntry(app, unit, source, event.data);
    case "message_completed":
      return receiveCompletion(app, unit, source, event.data);
    case "agent_ready":
      return receiveReadiness(app, unit, source, event.data);
    case "thread_created":
      return receiveThreadCreated(app, unit, source, event.data);
    case "chat_response_error":
      return receiveTurnError(app, unit, source, event.data);
    case "thread_load_error":
      return receiveLoadError(app, unit, source, event.data);
    case "turn_cancelled":
      return receiveCancelled(app, unit, source, event.data);
    case "permission_requested":
      return receivePermissionRequested(app, unit, source, event.data);
    case "permission_resolved":
      return receivePermissionResolved(app, unit, source, event.data);
    case "ping":
      return { wake: false, ignored: null };
    case "user_created_thread":
      return hearUserCreatedThread(app, unit, source, event.data);
    case "thread_title_changed":
      return receiveTitle(app, unit, source, event.data);
    case "ui_state_response":
      return ignored("nothing depends on it");
    default:
      return event satisfies never;
  }
}
