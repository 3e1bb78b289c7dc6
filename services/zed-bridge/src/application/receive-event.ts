import type { SyncEvent } from "@helix-zed/sync-protocol";
import type { App } from "./app.ts";

/** Something an editor said, and on which connection. */
export interface ReceiveEvent {
  readonly instanceId: string;
  readonly epoch: number;
  readonly event: SyncEvent;
}

/** What came of an event. */
export interface ReceivedEvent {
  /** Commands may be due now. */
  readonly wake: boolean;
  /** Why the event changed nothing, for the log; `null` where it counted. */
  readonly ignored: string | null;
}

/** Takes in whatever an editor says. Never refuses: what makes no sense is ignored, with the reason. */
export async function receiveEvent(_app: App, _command: ReceiveEvent): Promise<ReceivedEvent> {
  throw new Error("not written yet");
}
