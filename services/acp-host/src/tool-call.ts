import type { ToolStatus } from "@helix-zed/sync-protocol";

// One tool call of an agent, as it becomes known: agents send the title first,
// the content later, some begin with a request for permission, and each field
// of an update replaces the old one only if it is present.

export type ToolContent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "diff"; readonly path: string; readonly newText: string }
  | { readonly type: "terminal"; readonly terminalId: string };

export interface ToolCall {
  readonly id: string;
  title: string;
  kind: string;
  status: ToolStatus;
  content: readonly ToolContent[];
  rawOutput: unknown;
  /** What the terminals of this call have printed, by terminal id. */
  readonly terminals: Map<string, string>;
}

/** The fields of a tool call that an agent has just told. */
export interface ToolCallPatch {
  readonly id: string;
  readonly title?: string;
  readonly kind?: string;
  readonly status?: ToolStatus;
  readonly content?: readonly ToolContent[];
  readonly rawOutput?: unknown;
  readonly terminalOutput?: { readonly terminalId: string; readonly data: string };
}

const terminalOutputChars = 256 * 1024;

/** A tool call of which nothing but the patch is known. */
export function newToolCall(patch: ToolCallPatch): ToolCall {
  const empty = { title: "", kind: "other", status: "Pending", content: [], rawOutput: undefined } as const;
  return applyPatch({ ...empty, id: patch.id, terminals: new Map() }, patch);
}

/** Overwrites what the patch tells and keeps the rest. Of a terminal's output the last 256 Ki characters are kept. */
export function applyPatch(call: ToolCall, patch: ToolCallPatch): ToolCall {
  call.title = patch.title ?? call.title;
  call.kind = patch.kind ?? call.kind;
  call.status = patch.status ?? call.status;
  call.content = patch.content ?? call.content;
  call.rawOutput = patch.rawOutput ?? call.rawOutput;
  if (patch.terminalOutput !== undefined) {
    const { terminalId, data } = patch.terminalOutput;
    call.terminals.set(terminalId, ((call.terminals.get(terminalId) ?? "") + data).slice(-terminalOutputChars));
  }
  return call;
}

/** Whether the call is neither finished nor given up. */
export function isOpen(call: ToolCall): boolean {
  return call.status === "Pending" || call.status === "Waiting for confirmation" || call.status === "In Progress";
}
