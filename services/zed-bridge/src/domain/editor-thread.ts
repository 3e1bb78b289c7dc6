import type { SyncEvent } from "@helix-zed/sync-protocol";

/**
 * Where a thread that a person began stands: without a word yet; to become a work session; one was made, and is to be
 * claimed; it has its mapping; or no session could be made for it.
 */
export type EditorThreadStatus = "draft" | "wanted" | "created" | "bound" | "refused";

/** Which thread of which editor. */
export interface EditorThreadKey {
  readonly zedSessionId: string;
  readonly zedThreadId: string;
}

/** A thread that a person began in an editor. */
export interface EditorThread extends EditorThreadKey {
  readonly status: EditorThreadStatus;
  readonly title: string;
  /** What was said in it first; empty before. */
  readonly firstWords: string;
  /** The launch of the editor in which it was heard of. */
  readonly launch: number;
  readonly workSessionId: string | null;
  readonly attempts: number;
}

/** An event that waits for its thread to have a session. */
export interface KeptEvent {
  readonly key: string;
  readonly event: SyncEvent;
}
