import { describe, expect, test } from "vitest";
import { applyPermissionRequest, applyUpdate } from "./acp-updates.ts";
import { renderEntry } from "./entries.ts";
import { Thread } from "./thread.ts";

function text(value: string): object {
  return { type: "text", text: value };
}

function shown(thread: Thread, index: number): string {
  const entry = thread.at(index);
  return entry === undefined ? "" : renderEntry(entry);
}

describe("an update of a session", () => {
  test("adds what the agent says and thinks", () => {
    const thread = new Thread();
    applyUpdate(thread, { sessionUpdate: "agent_thought_chunk", content: text("hm") }, "live");
    applyUpdate(thread, { sessionUpdate: "agent_message_chunk", content: text("yes") }, "live");
    expect(shown(thread, 0)).toBe("<thinking>\nhm\n</thinking>\n\nyes");
  });

  test("with empty text and usage gives the usage and no entry", () => {
    const thread = new Thread();
    const meta = { usage: { inputTokens: 9, outputTokens: 1, totalTokens: 10, thoughtTokens: 0, cachedReadTokens: 2 } };
    const update = { sessionUpdate: "agent_message_chunk", content: text(""), _meta: meta };
    const { change, usage } = applyUpdate(thread, update, "live");
    expect(change).toBeUndefined();
    expect(usage).toEqual({
      total_tokens: 10,
      input_tokens: 9,
      output_tokens: 1,
      thought_tokens: 0,
      cached_read_tokens: 2,
      cached_write_tokens: 0,
    });
  });

  test("repeats the user's words only in a replay", () => {
    const thread = new Thread();
    const update = { sessionUpdate: "user_message_chunk", content: text("add a page") };
    expect(applyUpdate(thread, update, "live")).toEqual({});
    expect(applyUpdate(thread, update, "replay").change).toEqual({ type: "new", index: 0 });
  });

  test("tells a tool call and its end", () => {
    const thread = new Thread();
    applyUpdate(
      thread,
      { sessionUpdate: "tool_call", toolCallId: "t", title: "ls", kind: "execute", status: "pending" },
      "live",
    );
    const content = [
      { type: "content", content: text("a.md") },
      { type: "terminal", terminalId: "none" },
      { type: "of-the-future" },
    ];
    applyUpdate(thread, { sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed", content }, "live");
    expect(shown(thread, 0)).toBe("**Tool Call: ls**\nStatus: Completed\n\na.md\n\nTerminal:\n```\n\n```\n\n\n");
  });

  test("streams the output of a terminal", () => {
    const thread = new Thread();
    applyUpdate(thread, { sessionUpdate: "tool_call", toolCallId: "t", title: "ls", kind: "execute" }, "live");
    for (const data of ["one\n", "two\n"]) {
      const meta = { terminal_output: { terminal_id: "t", data } };
      applyUpdate(thread, { sessionUpdate: "tool_call_update", toolCallId: "t", _meta: meta }, "live");
    }
    expect(shown(thread, 0)).toContain("one\ntwo\n");
  });

  test.each([
    null,
    {},
    { sessionUpdate: "plan", entries: [] },
    { sessionUpdate: "of_the_future", content: text("x") },
    { sessionUpdate: "agent_message_chunk" },
    { sessionUpdate: "agent_message_chunk", content: { type: "image", data: "", mimeType: "image/png" } },
  ])("that has nothing to show changes nothing: %j", (update) => {
    const thread = new Thread();
    expect(applyUpdate(thread, update, "live").change).toBeUndefined();
    expect(thread.length).toBe(0);
  });

  test("with a field that makes no sense loses that field only", () => {
    const thread = new Thread();
    applyUpdate(
      thread,
      { sessionUpdate: "tool_call", toolCallId: "t", title: "ls", status: "exploded", kind: 7 },
      "live",
    );
    expect(shown(thread, 0)).toBe("**Tool Call: ls**\nStatus: Pending\n\n");
  });
});

describe("a request for permission", () => {
  test("announces a tool call that was never mentioned, and later updates find it", () => {
    const thread = new Thread();
    const request = { toolCallId: "t", title: "write", status: "pending", content: [] };
    expect(applyPermissionRequest(thread, request)).toEqual({ type: "new", index: 0 });
    expect(shown(thread, 0)).toContain("Status: Waiting for confirmation");
    applyUpdate(thread, { sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed" }, "live");
    expect(shown(thread, 0)).toContain("**Tool Call: write**\nStatus: Completed");
  });

  test("without an id shows nothing", () => {
    expect(applyPermissionRequest(new Thread(), {})).toBeUndefined();
  });
});
