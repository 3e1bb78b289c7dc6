import { Refusal } from "@helix-zed/domain";
import type { Log } from "@helix-zed/server";
import { McpServer, type ServerContext } from "@modelcontextprotocol/server";
import type { ActingAgent, Agent } from "../application/find-agent.ts";
import type { Reason } from "../domain/reason.ts";
import { explainFailure } from "./explain-failure.ts";
import { TaskSessions } from "./task-sessions.ts";
import type { Answer, Tool, ToolCall, ToolSurroundings } from "./tool.ts";
import { getWorkSession } from "./tools/get-work-session.ts";
import { listWorkSessions } from "./tools/list-work-sessions.ts";
import { reportResult } from "./tools/report-result.ts";
import { sendMessage } from "./tools/send-message.ts";
import { spawnWorkSession } from "./tools/spawn-work-session.ts";
import { waitForWorkSessions } from "./tools/wait-for-work-sessions.ts";

/** What agents can do here. */
export const tools: readonly Tool[] = [
  spawnWorkSession,
  listWorkSessions,
  getWorkSession,
  waitForWorkSessions,
  sendMessage,
  reportResult,
];

const INSTRUCTIONS =
  "You work in one of several work sessions of a task; each has an agent of its own. With these tools you see the others, " +
  "hand parts of the work to new ones, wait for their results, talk to them, and report the result of your own session.";

/** What a server for an agent is made with. */
export interface AgentServerOptions extends ToolSurroundings {
  readonly log: Log;
}

/** A server for one request of an agent. */
export function createAgentServer(agent: Agent, options: AgentServerOptions): McpServer {
  const server = new McpServer(
    { name: "helix-zed", title: "Work sessions", version: "1" },
    { instructions: INSTRUCTIONS, capabilities: { tools: {} } },
  );
  for (const tool of tools) {
    tool.register(server, (name, context, run) => carryOut(name, context, { agent, run, options }));
  }
  return server;
}

interface Work {
  readonly agent: Agent;
  readonly run: (call: ToolCall) => Promise<object>;
  readonly options: AgentServerOptions;
}

async function carryOut(tool: string, context: ServerContext, { agent, run, options }: Work): Promise<Answer> {
  const { app, log } = options;
  const beganAt = app.world.now();
  const about = { tool, workSession: agent.session?.workSessionId, turn: agent.session?.turnId };
  try {
    const answer = await run(callOf(acting(agent), context, options));
    log.info({ ...about, tookMs: app.world.now().getTime() - beganAt.getTime() }, "an agent has used a tool");
    return { content: [{ type: "text", text: JSON.stringify(answer, null, 1) }] };
  } catch (error) {
    if (context.mcpReq.signal.aborted) return failed("The call was cancelled.");
    const why = explainFailure(error);
    if (why === null) log.error({ ...about, err: error }, "a tool has failed");
    else log.info({ ...about, why }, "an agent was refused");
    return failed(why ?? "This has failed on our side. Trying again may help.");
  }
}

function acting({ session, ...agent }: Agent): ActingAgent {
  if (session !== null) return { ...agent, session };
  throw new Refusal<Reason>(
    "ACTING_SESSION_UNCLEAR",
    "Several work sessions are at work in this editor, or none, so it is not clear on whose behalf you call.",
  );
}

function callOf(agent: ActingAgent, { mcpReq }: ServerContext, options: AgentServerOptions): ToolCall {
  const { app, workSessions, stopping } = options;
  // oxlint-disable-next-line eslint/no-underscore-dangle -- the protocol's own name
  const progressToken = mcpReq._meta?.progressToken;
  return {
    app,
    workSessions,
    stopping,
    agent,
    sessions: new TaskSessions(workSessions, agent),
    signal: mcpReq.signal,
    progress: async (progress, total, message) => {
      if (progressToken === undefined) return;
      const params = { progressToken, progress, total, message };
      await mcpReq.notify({ method: "notifications/progress", params });
    },
  };
}

function failed(why: string): Answer {
  return { content: [{ type: "text", text: why }], isError: true };
}
