import type { Client } from "@connectrpc/connect";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import type { McpServer, ServerContext, ToolAnnotations } from "@modelcontextprotocol/server";
import type { z } from "zod";
import type { App } from "../application/app.ts";
import type { ActingAgent } from "../application/find-agent.ts";
import type { TaskSessions } from "./task-sessions.ts";

/** What tools work with. */
export interface ToolSurroundings {
  readonly app: App;
  readonly workSessions: Client<typeof WorkSessionService>;
  /** Aborts when the server is to stop: whoever waits comes to an end. */
  readonly stopping: AbortSignal;
}

/** One call of a tool. */
export interface ToolCall extends ToolSurroundings {
  readonly agent: ActingAgent;
  /** The sessions of the agent's task, as its user may see them. */
  readonly sessions: TaskSessions;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Tells an agent that wants to know how far the call has come: done so much of so much. */
  readonly progress: (done: number, total: number, message: string) => Promise<void>;
}

/** A tool: what an agent reads of it, what it takes, and what it does. The answer is given to the agent as JSON. */
export interface ToolDefinition<Input extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly annotations: ToolAnnotations;
  readonly run: (input: z.output<Input>, call: ToolCall) => Promise<object>;
}

/** A tool that can be offered by a server. */
export interface Tool {
  readonly name: string;
  readonly register: (server: McpServer, carryOut: CarryOut) => void;
}

/** Runs a call and makes its answer, or why there is none, into what an agent reads. */
export type CarryOut = (
  tool: string,
  context: ServerContext,
  run: (call: ToolCall) => Promise<object>,
) => Promise<Answer>;

/** What a tool answers, for the agent to read. */
export interface Answer {
  readonly [key: string]: unknown;
  readonly content: { readonly type: "text"; readonly text: string }[];
  readonly isError?: true;
}

/** Makes a definition a tool. */
export function defineTool<Input extends z.ZodObject>(definition: ToolDefinition<Input>): Tool {
  const { name, title, description, input, annotations, run } = definition;
  const inputSchema: z.ZodObject = input;
  return {
    name,
    register: (server, carryOut) => {
      server.registerTool(name, { title, description, inputSchema, annotations }, (parsed, context) =>
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK has parsed it with this very schema
        carryOut(name, context, (call) => run(parsed as z.output<Input>, call)),
      );
    },
  };
}
