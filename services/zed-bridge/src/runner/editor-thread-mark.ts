import type { WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { EditorThreadKey } from "../domain/editor-thread.ts";

const KEY = "editor_thread";

/** What a session that is made for a thread of an editor has in its `environment_config.extra`. */
export function markOf({ zedSessionId, zedThreadId }: EditorThreadKey) {
  return { [KEY]: { zed_session_id: zedSessionId, zed_thread_id: zedThreadId } };
}

/** The thread that a session was made for, if it was; `null` for others. */
export function editorThreadOf({ environmentConfig }: WorkSession): EditorThreadKey | null {
  const mark = environmentConfig?.extra?.[KEY];
  if (typeof mark !== "object" || mark === null || Array.isArray(mark)) return null;
  const { zed_session_id: zedSessionId, zed_thread_id: zedThreadId } = mark;
  return typeof zedSessionId === "string" && typeof zedThreadId === "string" ? { zedSessionId, zedThreadId } : null;
}
