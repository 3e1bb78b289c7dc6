import { Refusal } from "@helix-zed/domain";
import { z } from "zod";
import { getZedThread } from "../../application/get-zed-thread.ts";
import { sendMessage as send } from "../../application/send-message.ts";
import type { Reason } from "../../domain/reason.ts";
import { requestKey } from "../request-key.ts";
import { defineTool, type ToolCall } from "../tool.ts";
import { sessionId } from "./session-id.ts";

const MESSAGE_CHARACTERS_MAX = 60_000;

const input = z.strictObject({
  work_session_id: sessionId,
  message: z
    .string()
    .min(1)
    .max(MESSAGE_CHARACTERS_MAX)
    .describe("What to say, at most 60,000 characters. The other agent is told that it comes from you."),
  interrupt: z
    .boolean()
    .default(false)
    .describe("true: stop what the other agent is doing and answer this first. false: after what it is doing."),
});

/** Lets an agent talk to another one that works on the same task. */
export const sendMessage = defineTool({
  name: "send_message",
  title: "Send a message to another work session",
  description:
    "Says something to the agent of another work session of this task, as its next turn. It does not wait for the " +
    "answer: read that with get_work_session or wait_for_work_sessions once the session has ended, or ask the other agent " +
    "to send you a message. Only a session that has begun and not ended takes messages. Sending the same again before " +
    "the other agent has answered sends nothing new.",
  input,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: sendToSession,
});

async function sendToSession(wanted: z.output<typeof input>, call: ToolCall): Promise<object> {
  const { app, agent, sessions } = call;
  const { work_session_id: workSessionId, message, interrupt } = wanted;
  if (workSessionId === agent.session.workSessionId) throw toItself();
  const target = await sessions.get(workSessionId);
  const own = await sessions.own();
  const answered = await answeredTurns(call, workSessionId);
  const turn = await send(app, agent.actor, {
    workSessionId,
    message: `Message from the work session "${own.name}" (${own.id}):\n\n${message}`,
    interrupt,
    requestId: requestKey("send", own.id, agent.session.turnId, wanted, answered),
  });
  return { sent_to: target.name, message_status: turn.status };
}

function toItself(): Refusal<Reason> {
  return new Refusal<Reason>("MESSAGE_TO_ITSELF", "A work session cannot send messages to itself.");
}

/** How many turns of the other session are over: the same message means something new after each. */
async function answeredTurns({ app, agent }: ToolCall, workSessionId: string): Promise<number> {
  try {
    const { mapping, latestTurn, queuedTurnCount } = await getZedThread(app, agent.actor, { workSessionId });
    return mapping.turnCount - queuedTurnCount - (latestTurn?.inFlight === true ? 1 : 0);
  } catch (error) {
    // Why there is none is for sendMessage to say.
    if (error instanceof Refusal && error.reason === "ZED_THREAD_NOT_FOUND") return 0;
    throw error;
  }
}
