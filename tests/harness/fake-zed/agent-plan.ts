import type { TokenUsage, ToolStatus } from "@helix-zed/sync-protocol";

/** One thing that a scripted agent does. */
export type AgentStep =
  /** Goes on with the message that it is at, or begins one. */
  | { readonly kind: "say"; readonly text: string }
  /** Thinks aloud, which the editor shows in the same entry as what is said. */
  | { readonly kind: "think"; readonly text: string }
  /** Begins a new message. */
  | { readonly kind: "begin"; readonly text: string }
  /** Says something else instead of what it has said in this turn, counted from 0: content may shrink. */
  | { readonly kind: "rewrite"; readonly entry: number; readonly text: string }
  /** Begins a tool call or tells how it goes, by its id. */
  | {
      readonly kind: "tool";
      readonly id: string;
      readonly name: string;
      readonly status: ToolStatus;
      readonly content?: string;
    }
  /** Takes its time, in the editor's. */
  | { readonly kind: "wait"; readonly durationMs: number }
  /** Waits until the test lets it go on. */
  | { readonly kind: "hold"; readonly name: string }
  /** Reports what the turn has cost. */
  | { readonly kind: "usage"; readonly usage: TokenUsage }
  /** Ends the turn; what follows is output that comes too late. */
  | { readonly kind: "stop" }
  /** Says no. */
  | { readonly kind: "fail"; readonly error: string }
  /** Its process dies. */
  | { readonly kind: "crash" }
  /** Never says anything again. */
  | { readonly kind: "hang" };

/** What an agent does with one prompt; it stops at the end. */
export type AgentPlan = readonly AgentStep[];

/** A prompt as it reached the agent. */
export interface AgentPrompt {
  readonly message: string;
  readonly threadId: string;
  /** The request id of the server, empty for what was typed in the editor. */
  readonly requestId: string;
  /** How often this request id has reached an agent, with this one. */
  readonly attempt: number;
}

/** Decides what the agent does with a prompt. */
export type AgentScript = (prompt: AgentPrompt) => AgentPlan;

/** Goes on with what it says. */
export const say = (text: string): AgentStep => ({ kind: "say", text });

/** Begins another message. */
export const begin = (text: string): AgentStep => ({ kind: "begin", text });

/** Changes what it has said. */
export const rewrite = (entry: number, text: string): AgentStep => ({ kind: "rewrite", entry, text });

/** A tool call, or how it goes. */
export const tool = (id: string, status: ToolStatus, content = ""): AgentStep => ({
  kind: "tool",
  id,
  name: `Run ${id}`,
  status,
  content,
});

/** Takes so long, in the editor's time. */
export const wait = (durationMs: number): AgentStep => ({ kind: "wait", durationMs });

/** Waits until the test releases this name. */
export const hold = (name: string): AgentStep => ({ kind: "hold", name });

/** Ends its turn, though it has more to say. */
export const stop: AgentStep = { kind: "stop" };

/** Is silent for ever. */
export const hang: AgentStep = { kind: "hang" };

/** Dies. */
export const crash: AgentStep = { kind: "crash" };

/** Tells the cost: so many tokens, all of them read. */
export const costs = (tokens: number): AgentStep => ({
  kind: "usage",
  usage: {
    total_tokens: tokens,
    input_tokens: tokens,
    output_tokens: 0,
    thought_tokens: 0,
    cached_read_tokens: 0,
    cached_write_tokens: 0,
  },
});

/** Repeats what it was told. */
export const echoes: AgentScript = ({ message }) => [say(`re: ${message}`)];

/** Has a plan for some messages, and repeats the others. */
export function plans(known: Readonly<Record<string, AgentPlan>>): AgentScript {
  return (prompt) => known[prompt.message] ?? echoes(prompt);
}
