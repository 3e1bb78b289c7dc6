import type { TaskType } from "./task-lifecycle.ts";

/** What the end of a turn means: the session is done, or it waits for the next message. */
export type OnTurnEnd = "complete" | "idle";

const byTaskType: Record<TaskType, OnTurnEnd> = {
  batch: "complete",
  coding_session: "idle",
  interactive: "idle",
};

/** The session's own choice, else what its task's type says. */
export function onTurnEndOf(session: {
  readonly taskType: TaskType;
  readonly agentConfig: { readonly on_turn_end?: OnTurnEnd } | null;
}): OnTurnEnd {
  return session.agentConfig?.on_turn_end ?? byTaskType[session.taskType];
}
