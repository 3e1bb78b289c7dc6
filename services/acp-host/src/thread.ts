import type { Entry } from "./entries.ts";
import { contentLengthMax, type ToolStatus } from "@helix-zed/sync-protocol";
import { applyPatch, isOpen, newToolCall, type ToolCall, type ToolCallPatch } from "./tool-call.ts";

/** More than goes over the wire. */
const charactersKept = 2 * contentLengthMax;

/** What a mutation did to the list: a new entry at the end, or other content of an old one. */
export interface Change {
  readonly type: "new" | "updated";
  readonly index: number;
}

/** A conversation as its list of entries. Pure: it knows neither agent nor wire nor clock. */
export class Thread {
  readonly #entries: Entry[] = [];
  readonly #toolIndexes = new Map<string, number>();

  get length(): number {
    return this.#entries.length;
  }

  /** The entry at this index, if there is one. */
  at(index: number): Entry | undefined {
    return this.#entries[index];
  }

  /** How often the user has spoken. */
  get userMessageCount(): number {
    return this.#entries.filter(({ kind }) => kind === "user").length;
  }

  /** What the user has said last, and where. */
  get lastUserMessage(): { readonly index: number; readonly text: string } | undefined {
    const index = this.#entries.findLastIndex(({ kind }) => kind === "user");
    const entry = this.#entries[index];
    return entry?.kind === "user" ? { index, text: entry.text } : undefined;
  }

  /** Begins a turn. `echo` says whether the user's words go back over the wire. */
  addUserMessage(text: string, { echo }: { readonly echo: boolean }): Change {
    return this.#append({ kind: "user", text, echo });
  }

  /** Takes over a piece of an earlier user message while the agent replays its history. */
  replayUserChunk(text: string): Change | undefined {
    const last = this.#entries.at(-1);
    if (last?.kind !== "user") return this.addUserMessage(text, { echo: false });
    last.text += text;
    return this.#updated(this.#entries.length - 1);
  }

  /**
   * Adds to what the agent says. An empty piece opens no entry: agents send some that carry only usage.
   */
  appendChunk(kind: "message" | "thought", text: string): Change | undefined {
    if (text === "") return undefined;
    const last = this.#entries.at(-1);
    if (last?.kind !== "assistant") {
      const chunks = [{ kind, text }];
      return this.#append({ kind: "assistant", chunks, characters: text.length, droppedCharacters: 0 });
    }
    if (last.characters > charactersKept) {
      last.droppedCharacters += text.length;
      return this.#updated(this.#entries.length - 1);
    }
    last.characters += text.length;
    const chunk = last.chunks.at(-1);
    if (chunk?.kind === kind) chunk.text += text;
    else last.chunks.push({ kind, text });
    return this.#updated(this.#entries.length - 1);
  }

  /** Adds a tool call, or updates it if its id is known. */
  upsertToolCall(patch: ToolCallPatch): Change {
    const index = this.#toolIndexes.get(patch.id);
    if (index !== undefined) return this.#patch(index, patch);
    this.#toolIndexes.set(patch.id, this.#entries.length);
    return this.#append({ kind: "tool", call: newToolCall(patch) });
  }

  /** The tool call of this id. */
  toolCall(id: string): ToolCall | undefined {
    const entry = this.#entries[this.#toolIndexes.get(id) ?? -1];
    return entry?.kind === "tool" ? entry.call : undefined;
  }

  /** Updates a tool call. One that was never announced is shown as failed, as in Zed. */
  updateToolCall(patch: ToolCallPatch): Change {
    const known = this.#toolIndexes.has(patch.id);
    return this.upsertToolCall(known ? patch : { id: patch.id, title: "Tool call not found", status: "Failed" });
  }

  /** Gives every unfinished tool call its end, because the turn it belongs to has ended. */
  closeToolCalls(status: ToolStatus): Change[] {
    return this.#entries.flatMap((entry, index) => {
      if (entry.kind !== "tool" || !isOpen(entry.call)) return [];
      return [this.#patch(index, { id: entry.call.id, status })];
    });
  }

  #patch(index: number, patch: ToolCallPatch): Change {
    const entry = this.#entries[index];
    if (entry?.kind === "tool") applyPatch(entry.call, patch);
    return this.#updated(index);
  }

  #append(entry: Entry): Change {
    this.#entries.push(entry);
    return { type: "new", index: this.#entries.length - 1 };
  }

  #updated(index: number): Change {
    return { type: "updated", index };
  }
}
