// Printing a transcript as it grows
//
// Entries come whole, again with each change. For people an entry is printed once and then only what was added to it; one
// that changed otherwise (a tool call that went on) is printed again when it says something new. For programs each version
// is a line of JSON.

import { type Entry, EntryRole, EntrySchema, EntryType } from "@helix-zed/gen/helix/zed/v1/zed_thread_pb.ts";
import type { Output } from "./output.ts";
import { terminalText } from "./terminal-text.ts";

/** Prints the entries of one transcript. */
export class TranscriptPrinter {
  readonly #output: Output;
  readonly #printed = new Map<string, string>();
  /** The entry whose text the cursor stands behind. */
  #open = "";

  constructor(output: Output) {
    this.#output = output;
  }

  /** An entry as it is now. */
  print(entry: Entry): void {
    if (this.#output.asJson) this.#output.json(EntrySchema, entry);
    else this.#printText(entry);
  }

  /** Ends the line that is open. */
  end(): void {
    if (this.#open !== "") this.#output.raw("\n");
    this.#open = "";
  }

  #printText(entry: Entry): void {
    const text = entry.type === EntryType.TOOL_CALL ? toolLine(entry) : terminalText(entry.content);
    const before = this.#printed.get(entry.id);
    if (text === before) return;
    this.#printed.set(entry.id, text);
    if (this.#open === entry.id && before !== undefined && text.startsWith(before)) {
      this.#output.raw(text.slice(before.length));
      return;
    }
    this.end();
    this.#output.raw(entry.role === EntryRole.USER ? `\n> ${text.replaceAll("\n", "\n> ")}\n\n` : text);
    this.#open = entry.role === EntryRole.USER ? "" : entry.id;
  }
}

function toolLine({ toolName, toolStatus }: Entry): string {
  return `[${terminalText(toolName)}: ${terminalText(toolStatus)}]`;
}
