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

/** Says it all at once and stops. */
export function says(text: string): AgentPlan {
  return [{ kind: "say", text }];
}

/** Repeats what it was told. */
export const echoes: AgentScript = ({ message }) => says(`re: ${message}`);
