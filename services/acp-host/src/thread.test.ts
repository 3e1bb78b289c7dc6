import { describe, expect, test } from "vitest";
import { renderEntry } from "./entries.ts";
import { Thread } from "./thread.ts";

function contents(thread: Thread): string[] {
  return Array.from({ length: thread.length }, (_, index) => {
    const entry = thread.at(index);
    return entry === undefined ? "" : renderEntry(entry);
  });
}

describe("a thread", () => {
  test("counts the user's entries, so that the first answer is entry 1", () => {
    const thread = new Thread();
    expect(thread.addUserMessage("hi", { echo: false })).toEqual({ type: "new", index: 0 });
    expect(thread.appendChunk("message", "hello")).toEqual({ type: "new", index: 1 });
  });

  test("grows one entry while the agent speaks, with its thoughts set apart", () => {
    const thread = new Thread();
    thread.appendChunk("thought", "hm");
    thread.appendChunk("thought", "m");
    thread.appendChunk("message", "a");
    expect(thread.appendChunk("message", "b")).toEqual({ type: "updated", index: 0 });
    expect(contents(thread)).toEqual(["<thinking>\nhmm\n</thinking>\n\nab"]);
  });

  test("opens no entry for an empty piece", () => {
    const thread = new Thread();
    expect(thread.appendChunk("message", "")).toBeUndefined();
    expect(thread.length).toBe(0);
  });

  test("begins a new entry after a tool call", () => {
    const thread = new Thread();
    thread.appendChunk("message", "a");
    thread.upsertToolCall({ id: "t", title: "ls", kind: "execute" });
    expect(thread.appendChunk("message", "b")).toEqual({ type: "new", index: 2 });
  });

  test("updates a tool call where it stands, field by field", () => {
    const thread = new Thread();
    thread.upsertToolCall({ id: "t", title: "ls", kind: "execute", status: "In Progress" });
    thread.appendChunk("message", "meanwhile");
    expect(thread.updateToolCall({ id: "t", status: "Completed" })).toEqual({ type: "updated", index: 0 });
    expect(contents(thread)[0]).toBe("**Tool Call: ls**\nStatus: Completed\n\n");
  });

  test("shows an update of an unknown tool call as a failed one, and takes its later updates", () => {
    const thread = new Thread();
    thread.updateToolCall({ id: "ghost", status: "Completed" });
    expect(contents(thread)[0]).toBe("**Tool Call: Tool call not found**\nStatus: Failed\n\n");
    expect(thread.updateToolCall({ id: "ghost", title: "found" })).toEqual({ type: "updated", index: 0 });
  });

  test("gives an end to unfinished tool calls only", () => {
    const thread = new Thread();
    thread.upsertToolCall({ id: "done", status: "Completed" });
    thread.upsertToolCall({ id: "open", status: "In Progress" });
    thread.upsertToolCall({ id: "asked", status: "Waiting for confirmation" });
    expect(thread.closeToolCalls("Canceled").map((change) => change.index)).toEqual([1, 2]);
    expect(thread.closeToolCalls("Failed")).toEqual([]);
  });

  test("puts replayed pieces of one user message together", () => {
    const thread = new Thread();
    thread.replayUserChunk("add ");
    thread.replayUserChunk("a page");
    thread.appendChunk("message", "done");
    thread.replayUserChunk("add ");
    expect(contents(thread)).toEqual(["add a page", "done", "add "]);
  });
});
