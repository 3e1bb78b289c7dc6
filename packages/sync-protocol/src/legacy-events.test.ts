import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SyncEvent } from "./event.ts";
import { EventReader } from "./parse-frame.ts";

function read(reader: EventReader, event_type: string, data: unknown): readonly SyncEvent[] | string {
  const result = reader.read(JSON.stringify({ event_type, data }));
  return result.kind === "events" ? result.events : result.kind;
}

const contents = (events: readonly SyncEvent[] | string): unknown =>
  typeof events === "string"
    ? events
    : events.map((event) => (event.event_type === "message_added" ? event.data.content : event.event_type));

describe("an event by a former name", () => {
  test.each([
    [
      "context_created",
      { context_id: "t", request_id: "r" },
      { event_type: "thread_created", data: { acp_thread_id: "t", request_id: "r" } },
    ],
    [
      "context_title_changed",
      { context_id: "t", title: "New" },
      { event_type: "thread_title_changed", data: { acp_thread_id: "t", title: "New" } },
    ],
    [
      "message_updated",
      { context_id: "t", message_id: "3", role: "assistant", content: "Hi" },
      {
        event_type: "message_added",
        data: { acp_thread_id: "t", message_id: "3", role: "assistant", content: "Hi", request_id: "" },
      },
    ],
  ])("%s reads as today's", (name, data, today) => {
    expect(read(new EventReader(), name, data)).toMatchObject([today]);
  });

  test("may name its thread as today's do", () => {
    const [event] = read(new EventReader(), "context_created", { acp_thread_id: "t", context_id: "old" });
    expect(event).toMatchObject({ data: { acp_thread_id: "t" } });
  });

  test("without what it must have is malformed, and says so", () => {
    expect(read(new EventReader(), "context_created", {})).toBe("malformed");
    expect(read(new EventReader(), "chat_response", { content: "no request" })).toBe("malformed");
    expect(read(new EventReader(), "toString", {})).toBe("unknown");
  });
});

describe("an answer in the former way", () => {
  test("in one piece is one entry of its request's thread, and the end of the turn", () => {
    const events = read(new EventReader(), "chat_response", { request_id: "r", content: "Hello" });
    expect(events).toMatchObject([
      {
        event_type: "message_added",
        data: { acp_thread_id: "", request_id: "r", content: "Hello", role: "assistant" },
      },
      { event_type: "message_completed", data: { acp_thread_id: "", request_id: "r", usage: null } },
    ]);
  });

  test("in several is one entry that is whole each time, whatever comes between", () => {
    const reader = new EventReader();
    const chunk = (request_id: string, text: string): unknown =>
      contents(read(reader, "chat_response_chunk", { request_id, chunk: text }));
    expect(chunk("r", "Hel")).toEqual(["Hel"]);
    expect(chunk("other", "x")).toEqual(["x"]);
    expect(chunk("r", "lo")).toEqual(["Hello"]);
    expect(contents(read(reader, "chat_response_done", { request_id: "r" }))).toEqual(["message_completed"]);
  });

  test("has an entry number of its own for each request", () => {
    const reader = new EventReader();
    const ids = ["a", "b"].map((request_id) => {
      const [event] = read(reader, "chat_response", { request_id, content: "Done." });
      return typeof event === "object" && "message_id" in event.data ? event.data.message_id : "";
    });
    expect(new Set(ids).size).toBe(2);
  });

  test("is not said again where it came in entries already", () => {
    const reader = new EventReader();
    read(reader, "message_updated", { context_id: "t", message_id: "1", role: "assistant", content: "Hi" });
    read(reader, "message_added", {
      acp_thread_id: "t",
      message_id: "1",
      role: "assistant",
      content: "Hi",
      request_id: "r",
    });
    expect(contents(read(reader, "chat_response", { request_id: "r", content: "Hi" }))).toEqual(["message_completed"]);
    expect(contents(read(reader, "chat_response_chunk", { request_id: "r", chunk: "late" }))).toEqual([]);
  });

  test("never makes the reader throw", () => {
    const names = fc.constantFrom("chat_response", "chat_response_chunk", "chat_response_done", "context_created");
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.jsonValue())), (frames) => {
        const reader = new EventReader();
        for (const [name, data] of frames) read(reader, name, data);
      }),
    );
  });
});
