import { z } from "zod";
import { sessionFacts, statusWord, statusWords } from "../session-facts.ts";
import { defineTool } from "../tool.ts";

const SESSIONS_MAX = 100;
const RESULT_CHARACTERS_MAX = 300;

const input = z.strictObject({
  status: z.enum(statusWords).optional().describe("Only sessions in this status. Left out: in any."),
  spawned_by_you: z.boolean().default(false).describe("Only sessions that you have spawned."),
});

/** Tells an agent of the sessions of its task. */
export const listWorkSessions = defineTool({
  name: "list_work_sessions",
  title: "List the work sessions",
  description:
    "Lists the work sessions of this task, yours among them, oldest first: what each is called, where it stands, and the " +
    "beginning of its result. At most 100; narrow it down if there are more.",
  input,
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async ({ status, spawned_by_you }, { agent, sessions }) => {
    const all = await sessions.all();
    const own = all.find(({ id }) => id === agent.session.workSessionId) ?? (await sessions.own());
    const facts = all
      .filter((session) => status === undefined || statusWord(session.status) === status)
      .map((session) => sessionFacts(session, own, RESULT_CHARACTERS_MAX))
      .filter((session) => !spawned_by_you || session.spawned_by_you === true);
    return { work_sessions: facts.slice(0, SESSIONS_MAX), total: facts.length };
  },
});
