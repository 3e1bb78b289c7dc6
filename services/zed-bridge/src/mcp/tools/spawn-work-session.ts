import type { MessageInitShape } from "@bufbuild/protobuf";
import { type AgentConfigSchema, OnTurnEnd, type WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { z } from "zod";
import { requestKey } from "../request-key.ts";
import { statusWord } from "../session-facts.ts";
import { defineTool, type ToolCall } from "../tool.ts";

const INSTRUCTIONS_BYTES_MAX = 65_536;

const input = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(255)
    .describe("A short title that tells this session from the others, for example: Write the database migration."),
  instructions: z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= INSTRUCTIONS_BYTES_MAX, "must be at most 65,536 bytes")
    .describe(
      "Everything that the other agent is to know and do, at most 65,536 bytes. It sees neither your conversation nor " +
        "your plan, so write down the context, the files concerned and what its answer should contain.",
    ),
  agent_type: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/)
    .optional()
    .describe("Which kind of agent is to do it, for example zed_claude_code. Left out: the same kind as you."),
  keep_open: z
    .boolean()
    .default(false)
    .describe(
      "false: the session ends with its first answer, which is its result. true: it stays open for further messages of " +
        "yours until it reports its result.",
    ),
});

type Input = z.output<typeof input>;

/** Begins another work session of the agent's task. */
export const spawnWorkSession = defineTool({
  name: "spawn_work_session",
  title: "Spawn a work session",
  description:
    "Starts another agent on a part of this task, in a work session of its own and in the same project folder, and " +
    "answers at once with the id of the session. It works beside you: do something else meanwhile, then call " +
    "wait_for_work_sessions for its result. Calling this again with the same arguments in the same turn starts nothing " +
    "new but answers with the same session; give each session a name of its own.",
  input,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: spawn,
});

async function spawn(wanted: Input, call: ToolCall): Promise<object> {
  const { agent, sessions, workSessions } = call;
  const own = await sessions.own();
  const { turnId, workSessionId } = agent.session;
  const { workSession } = await workSessions.createWorkSession(
    {
      taskId: agent.taskId,
      name: wanted.name,
      description: wanted.instructions,
      agentType: wanted.agent_type ?? own.agentType,
      parentWorkSessionId: workSessionId,
      spawnedBySessionId: own.helixSessionId,
      agentConfig: agentConfigFor(wanted, own),
      ...(own.environmentConfig === undefined ? {} : { environmentConfig: own.environmentConfig }),
      // Outside of a turn nothing tells a repeated call from a second one.
      requestId: turnId === null ? "" : requestKey("spawn", workSessionId, turnId, wanted),
    },
    sessions.callOptions,
  );
  if (workSession === undefined) throw new Error("task-service has created a session and not said which.");
  const { id, name, agentType, status } = workSession;
  return { id, name, agent_type: agentType, status: statusWord(status) };
}

/** What an agent of the same kind has been told about how to work holds for the new one too; permissions hold for all. */
function agentConfigFor(
  { agent_type, keep_open }: Input,
  { agentType, agentConfig }: WorkSession,
): MessageInitShape<typeof AgentConfigSchema> {
  const onTurnEnd = keep_open ? OnTurnEnd.IDLE : OnTurnEnd.COMPLETE;
  if (agentConfig === undefined) return { onTurnEnd };
  const { model, mode, permissionPolicy, extra } = agentConfig;
  const sameKind = agent_type === undefined || agent_type === agentType;
  if (!sameKind) return { onTurnEnd, permissionPolicy };
  return { onTurnEnd, permissionPolicy, model, mode, ...(extra === undefined ? {} : { extra }) };
}
