// Faults of what an editor says
//
// Each event passes through all faults that are set, in order; a fault gives what becomes of it: nothing, the same, more,
// something else, some of it later. Without faults an editor says exactly what it means to.
import { encodeEvent, type SyncEvent, type SyncEventType } from "@helix-zed/sync-protocol";
import { eventOf } from "./event-of.ts";

/** Something that is to be said, perhaps later. */
export interface Delivery {
  readonly event: SyncEvent;
  readonly afterMs?: number;
  /** These very bytes instead of how the event is usually written. */
  readonly frame?: string;
}

/** What becomes of an event. */
export type EventFault = (event: SyncEvent) => readonly Delivery[];

/** Which events a fault is about. */
export type EventMatch = (event: SyncEvent) => boolean;

/** Events of these kinds. */
export function anyOf(...types: readonly SyncEventType[]): EventMatch {
  return ({ event_type }) => types.includes(event_type);
}

/** The first so many of those that match. */
export function first(count: number, match: EventMatch): EventMatch {
  let left = count;
  return (event) => left > 0 && match(event) && left-- > 0;
}

/** They are never said. */
export function drops(match: EventMatch): EventFault {
  return (event) => (match(event) ? [] : [{ event }]);
}

/** They are said so many times. */
export function repeats(match: EventMatch, times: number): EventFault {
  return (event) => Array.from({ length: match(event) ? times : 1 }, () => ({ event }));
}

/** They are said so much later, in the editor's time. */
export function delays(match: EventMatch, afterMs: number): EventFault {
  return (event) => (match(event) ? [{ event, afterMs }] : [{ event }]);
}

/** They change places with the event that comes after them. */
export function swaps(match: EventMatch): EventFault {
  let held: SyncEvent | null = null;
  return (event) => {
    const earlier = held;
    held = null;
    if (earlier !== null) return [{ event }, { event: earlier }];
    if (!match(event)) return [{ event }];
    held = event;
    return [];
  };
}

/** They carry another request id. */
export function mislabels(match: EventMatch, requestId: (own: string) => string): EventFault {
  return (event) => {
    if (!match(event) || !("request_id" in event.data)) return [{ event }];
    const changed = structuredClone(event);
    if ("request_id" in changed.data) changed.data.request_id = requestId(event.data.request_id);
    return [{ event: changed }];
  };
}

/** They name another thread. */
export function misplaces(match: EventMatch, threadId: string): EventFault {
  return (event) => {
    const changed = structuredClone(event);
    if (match(event) && "acp_thread_id" in changed.data) changed.data.acp_thread_id = threadId;
    return [{ event: changed }];
  };
}

/** A second thread is announced for the same request. */
export function createsTwice(threadId: string): EventFault {
  return (event) => {
    if (event.event_type !== "thread_created") return [{ event }];
    return [{ event }, { event: eventOf("thread_created", { ...event.data, acp_thread_id: threadId }) }];
  };
}

/** Turns end without a word. */
export function saysNothing(): EventFault {
  return drops(anyOf("message_added"));
}

/** Nobody says what a turn has cost. */
export function reportsNoUsage(): EventFault {
  return (event) =>
    event.event_type === "message_completed"
      ? [{ event: eventOf("message_completed", { ...event.data, usage: null }) }]
      : [{ event }];
}

/** The names that old editors had for the same things. */
export function speaksOldNames(): EventFault {
  return (event) => {
    const frame = oldFrameOf(event);
    return [frame === null ? { event } : { event, frame }];
  };
}

function oldFrameOf(event: SyncEvent): string | null {
  const { event_type, data } = JSON.parse(encodeEvent(event));
  const { acp_thread_id: context_id, ...rest } = data;
  const old = (name: string): string => JSON.stringify({ event_type: name, data: { context_id, ...rest } });
  if (event_type === "thread_created") return old("context_created");
  if (event_type === "thread_title_changed") return old("context_title_changed");
  if (event_type === "message_completed") return old("chat_response_done");
  return null;
}
