import type { ToolCall } from "./tool-call.ts";
import { renderToolCall } from "./tool-call-markdown.ts";

// The entries of a thread, and the text that each of them is on the wire.
//
// Zed keeps a thread as a list of entries: what the user said, what the agent
// said (message and thought pieces in one entry), and tool calls. The position
// in that list is the `message_id`, so entries are never removed or reordered.
// Zed gives finished plans and compactions a position too and sends nothing for
// them; here they take none, because only order matters to the receiver.

export interface Chunk {
  readonly kind: "message" | "thought";
  text: string;
}

export type Entry =
  | { readonly kind: "user"; text: string; readonly echo: boolean }
  /** What an agent says beyond all measure is not kept, but counted. */
  | { readonly kind: "assistant"; readonly chunks: Chunk[]; characters: number; droppedCharacters: number }
  | { readonly kind: "tool"; readonly call: ToolCall };

/** The whole current content of an entry, as it goes over the wire. */
export function renderEntry(entry: Entry): string {
  switch (entry.kind) {
    case "user":
      return entry.text;
    case "assistant":
      return entry.chunks.map(renderChunk).join("\n\n");
    case "tool":
      return renderToolCall(entry.call);
    default:
      return entry satisfies never;
  }
}

function renderChunk({ kind, text }: Chunk): string {
  return kind === "message" ? text : `<thinking>\n${text}\n</thinking>`;
}
