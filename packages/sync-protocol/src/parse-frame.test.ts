import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SyncCommand } from "./command.ts";
import { encodeCommand, encodeEvent } from "./encode-frame.ts";
import type { SyncEvent } from "./event.ts";
import { contentLengthMax } from "./limits.ts";
import { parseCommand, parseEvent } from "./parse-frame.ts";

const messageAdded: SyncEvent<"message_added"> = {
  event_type: "message_added",
  data: {
    acp_thread_id: "thread-1",
    message_id: "1",
    role: "assistant",
    content: "Hello",
    request_id: "",
    entry_type: "text",
    tool_name: "",
    tool_status: "",
    timestamp: 1_700_000_000,
  },
};

function readEvent(event_type: string, data: unknown): ReturnType<typeof parseEvent> {
  return parseEvent(JSON.stringify({ event_type, data }));
}

describe("an editor's frame", () => {
  test("reads as what was written", () => {
    expect(parseEvent(encodeEvent(messageAdded))).toEqual({ kind: "event", event: messageAdded });
  });

  test("may carry keys that nobody knows", () => {
    const frame = { ...messageAdded, session_id: "zed_1", data: { ...messageAdded.data, colour: "red" } };
    expect(parseEvent(JSON.stringify(frame))).toEqual({ kind: "event", event: messageAdded });
  });

  test.each([undefined, null, ""])("names no thread with %j", (thread_id) => {
    expect(readEvent("agent_ready", { agent_name: "zed-agent", thread_id })).toEqual({
      kind: "event",
      event: { event_type: "agent_ready", data: { agent_name: "zed-agent", thread_id: null } },
    });
  });

  test("of an unknown name is told apart from a malformed one", () => {
    expect(readEvent("brand_new", {})).toEqual({ kind: "unknown", name: "brand_new" });
    expect(readEvent("toString", {})).toEqual({ kind: "unknown", name: "toString" });
    expect(readEvent("message_added", { content: "no thread" })).toMatchObject({ kind: "malformed" });
  });

  test("says what is wrong with it and not what was in it", () => {
    const parsed = readEvent("message_added", { ...messageAdded.data, acp_thread_id: "", content: "a secret" });
    expect(parsed).toMatchObject({ kind: "malformed", problem: expect.stringContaining("data.acp_thread_id") });
    expect(JSON.stringify(parsed)).not.toContain("a secret");
  });

  test("with a usage that is not a usage has none", () => {
    const data = { acp_thread_id: "t", message_id: "0", request_id: "r", agent_name: "qwen" };
    const completed = { event_type: "message_completed", data: { ...data, usage: null } };
    expect(readEvent("message_completed", { ...data, usage: { total_tokens: -1 } })).toEqual({
      kind: "event",
      event: completed,
    });
    expect(readEvent("message_completed", data)).toEqual({ kind: "event", event: completed });
  });

  test("holds no character that a database or a protobuf string cannot hold", () => {
    const content = "a\u0000b\ud83d";
    expect(readEvent("message_added", { ...messageAdded.data, content })).toMatchObject({
      event: { data: { content: "ab\ufffd" } },
    });
  });

  test("is cut where an entry is longer than allowed, and says so", () => {
    const content = "x".repeat(contentLengthMax + 5);
    const parsed = readEvent("message_added", { ...messageAdded.data, content });
    expect(parsed).toMatchObject({
      event: { data: { content: expect.stringMatching(/x\n\n\[5 more characters\]$/) } },
    });
  });

  test("asks for permission with the agent's own options, of which one may mean something that has no name here", () => {
    const options = [
      { option_id: "1", name: "Yes", kind: "allow_once" },
      { option_id: "2", name: "Perhaps", kind: "allow_on_sundays" },
    ];
    const data = { acp_thread_id: "t", request_id: "r", permission_id: "p", title: "rm", tool_name: "rm", options };
    expect(readEvent("permission_requested", { ...data, timestamp: 1 })).toMatchObject({
      event: { data: { ...data, options: [{ kind: "allow_once" }, { option_id: "2", kind: "" }] } },
    });
    const many = Array.from({ length: 33 }, (_, index) => ({ option_id: String(index), name: "", kind: "" }));
    expect(readEvent("permission_requested", { ...data, options: many })).toMatchObject({ kind: "malformed" });
    const outcome = { acp_thread_id: "", permission_id: "p", outcome: "forgotten" };
    expect(readEvent("permission_resolved", outcome)).toMatchObject({ kind: "malformed" });
  });

  test("never makes the parser throw", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (frame) => {
        expect(["event", "unknown", "malformed"]).toContain(parseEvent(frame).kind);
        expect(["command", "echo", "unknown", "malformed"]).toContain(parseCommand(frame).kind);
      }),
    );
  });
});

describe("a server's frame", () => {
  const chat: SyncCommand = {
    type: "chat_message",
    data: {
      message: "Hi",
      request_id: "trn_1",
      acp_thread_id: null,
      agent_name: null,
      interrupt: false,
      attempt: 1,
      model: null,
      mode: null,
      permission_policy: null,
    },
  };

  test("leaves out what it does not say", () => {
    expect(encodeCommand(chat)).toBe(
      '{"type":"chat_message","data":{"message":"Hi","request_id":"trn_1","interrupt":false,"attempt":1}}',
    );
    expect(parseCommand(encodeCommand(chat))).toEqual({ kind: "command", command: chat });
  });

  test("with the role of a user is an echo", () => {
    expect(parseCommand(JSON.stringify({ ...chat, data: { ...chat.data, role: "user" } }))).toEqual({ kind: "echo" });
  });

  test("without data is malformed", () => {
    expect(parseCommand('{"type":"open_thread"}')).toEqual({
      kind: "malformed",
      problem: "open_thread: no data object",
    });
  });
});
