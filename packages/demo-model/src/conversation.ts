import type { JsonObject } from "./json.ts";

// What an agent asked, in words that no provider owns.
//
// An agent sends its whole history with every request. The demo model looks only
// at the last turn of the user and at the tool results after it, so that old
// prompts, restored sessions and dangling calls cannot change what it does.
//
// Agents put notes of their own into the user's turn: `<system-reminder>` blocks,
// the environment, a hook's output. Those are taken out, and a turn that has
// nothing else in it does not count as the user's.

export type Wire = "openai-chat" | "openai-responses" | "anthropic-messages" | "gemini";

/** One item of the history: what somebody said, or what a tool answered. */
export interface Turn {
  readonly role: "user" | "assistant" | "tool" | "instructions";
  readonly text: string;
  readonly failed?: boolean;
  /** The names of the tools that the model called there. */
  readonly calls?: readonly string[];
}

/** A tool that the agent offers; `freeform` ones take plain text and are not used here. */
export interface ToolOffer {
  readonly name: string;
  /** The group that it is in, where the wire has groups; a call names it too. */
  readonly namespace?: string;
  readonly parameters: JsonObject;
}

export interface ToolResult {
  readonly text: string;
  readonly failed: boolean;
}

/** One request to the model. */
export interface Conversation {
  readonly wire: Wire;
  readonly model: string;
  readonly streaming: boolean;
  /** The last thing the user said, without the agent's own notes. */
  readonly prompt: string;
  /** Everything that the user said, that included, oldest first. */
  readonly prompts: readonly string[];
  /** What tools answered since then. */
  readonly toolResults: readonly ToolResult[];
  /** The names of the tools that were called since then. */
  readonly calls: readonly string[];
  readonly tools: readonly ToolOffer[];
  /** The JSON schema that the answer has to follow, if the agent asks for one. */
  readonly schema: JsonObject | undefined;
  readonly instructions: string;
  readonly workingDirectory: string | undefined;
  readonly inputTokens: number;
}

export interface RawConversation {
  readonly wire: Wire;
  readonly model: string;
  readonly streaming: boolean;
  readonly turns: readonly Turn[];
  readonly tools: readonly ToolOffer[];
  readonly schema: JsonObject | undefined;
}

/** Reads the last user turn and what followed it out of a whole history. */
export function readConversation(raw: RawConversation): Conversation {
  const turns = raw.turns.map((turn) => (turn.role === "user" ? { ...turn, text: withoutNotes(turn.text) } : turn));
  const last = turns.findLastIndex((turn) => turn.role === "user" && turn.text !== "");
  const everything = raw.turns.map((turn) => turn.text).join("\n");
  return {
    wire: raw.wire,
    model: raw.model,
    streaming: raw.streaming,
    tools: raw.tools,
    schema: raw.schema,
    prompt: turns[last]?.text ?? "",
    prompts: turns.flatMap(({ role, text }) => (role === "user" && text !== "" ? [text] : [])),
    toolResults: turns.slice(last + 1).flatMap(toolResult),
    calls: turns.slice(last + 1).flatMap(({ calls }) => calls ?? []),
    instructions: turns.flatMap((turn) => (turn.role === "instructions" ? [turn.text] : [])).join("\n"),
    workingDirectory: findWorkingDirectory(everything),
    inputTokens: countTokens(everything),
  };
}

/** A rough count, four characters each: good enough to show that usage arrives. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

function toolResult({ role, text, failed }: Turn): ToolResult[] {
  return role === "tool" ? [{ text, failed: failed ?? false }] : [];
}

const notes =
  /\[Request interrupted by user[^\]]*\]|<(system-reminder|environment_context|user_instructions|session_context|local-command-[a-z]+)>[\s\S]*?<\/\1>/g;

function withoutNotes(text: string): string {
  return text.replaceAll(notes, "").trim();
}

const workingDirectory =
  /(?:working in the directory|working directory|workspace directory|cwd)\W{1,12}?(\/[^\n<"`]+)/gi;

/** Agents tell the model where they work, each in its own sentence; the latest one counts. */
function findWorkingDirectory(text: string): string | undefined {
  const found = [...text.matchAll(workingDirectory)].at(-1)?.[1];
  return found?.trim().replace(/[.,]$/, "");
}
