import { z } from "zod";
import { sessionFacts, timeText } from "../session-facts.ts";
import { defineTool } from "../tool.ts";
import { sessionId } from "./session-id.ts";

const WHOLE = Number.MAX_SAFE_INTEGER;

/** Tells an agent all about one session of its task. */
export const getWorkSession = defineTool({
  name: "get_work_session",
  title: "Read a work session",
  description:
    "Reads one work session of this task in full: its instructions, where it stands, and its whole result. Without an id " +
    "it reads your own.",
  input: z.strictObject({ work_session_id: sessionId.optional() }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ work_session_id }, { sessions }) => {
    const own = await sessions.own();
    const session = work_session_id === undefined ? own : await sessions.get(work_session_id);
    return {
      ...sessionFacts(session, own, WHOLE),
      task_id: session.taskId,
      instructions: session.agentConfig?.prompt || session.description,
      parent_work_session_id: session.parentWorkSessionId,
      created_at: timeText(session.createdAt),
      started_at: timeText(session.startedAt),
      completed_at: timeText(session.completedAt),
    };
  },
});
