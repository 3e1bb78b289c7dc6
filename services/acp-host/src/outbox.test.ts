import type { SyncEvent } from "@helix-zed/sync-protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Outbox } from "./outbox.ts";

function added(messageId: string, content: string, requestId = "R1"): SyncEvent {
  return {
    event_type: "message_added",
    data: {
      acp_thread_id: "T",
      message_id: messageId,
      role: "assistant",
      content,
      request_id: requestId,
      entry_type: "text",
      tool_name: "",
      tool_status: "",
      timestamp: 0,
    },
  };
}

function failed(request_id: string): SyncEvent {
  return { event_type: "chat_response_error", data: { request_id, error: "" } };
}

function drain(outbox: Outbox): string[] {
  const events: string[] = [];
  for (let event = outbox.next(); event !== undefined; event = outbox.next()) {
    events.push(event.event_type === "message_added" ? event.data.content : event.event_type);
  }
  return events;
}

describe("the outbox", () => {
  test("gives events out in order", () => {
    const outbox = new Outbox();
    for (const event of [added("1", "a"), failed("R1"), added("1", "b", "R2")]) outbox.push(event);
    expect(drain(outbox)).toEqual(["a", "chat_response_error", "b"]);
  });

  test("keeps what is not acknowledged, and gives it out again first", () => {
    const outbox = new Outbox();
    outbox.push(added("1", "a"));
    outbox.push(failed("R1"));
    outbox.next();
    outbox.acknowledge(outbox.lastSent ?? 0);
    outbox.next();
    outbox.push(added("1", "c", "R2"));
    outbox.rewind();
    expect(drain(outbox)).toEqual(["chat_response_error", "c"]);
    outbox.acknowledge(outbox.lastSent ?? 0);
    expect([outbox.bytes, outbox.lastSent]).toEqual([0, undefined]);
  });

  test("replaces the older state of an entry while it waits, in its place", () => {
    const outbox = new Outbox();
    for (const event of [added("1", "a"), added("2", "x"), failed("R0"), added("1", "ab")]) outbox.push(event);
    expect(drain(outbox)).toEqual(["ab", "x", "chat_response_error"]);
  });

  test("never replaces what has been sent", () => {
    const outbox = new Outbox();
    outbox.push(added("1", "a"));
    outbox.next();
    outbox.push(added("1", "ab"));
    outbox.rewind();
    expect(drain(outbox)).toEqual(["a", "ab"]);
  });

  test("drops old entries before it grows too large, and never an event that happens once", () => {
    const outbox = new Outbox({ bytesMax: 2_000 });
    outbox.push(failed("R1"));
    for (let entry = 0; entry < 20; entry++) outbox.push(added(String(entry), "x".repeat(100)));
    expect(outbox.bytes).toBeLessThanOrEqual(2_000);
    expect(outbox.dropped).toBeGreaterThan(0);
    const left = drain(outbox);
    expect(left[0]).toBe("chat_response_error");
    expect(left.length + outbox.dropped).toBe(21);
  });

  test("delivers every event at least once, in order, whatever the link does", () => {
    const step = fc.constantFrom("push", "send", "acknowledge", "lose");
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const outbox = new Outbox();
        const firstSeen: string[] = [];
        let pushed = 0;
        const send = (): void => {
          const event = outbox.next();
          const request = event?.event_type === "chat_response_error" ? event.data.request_id : undefined;
          if (request !== undefined && !firstSeen.includes(request)) firstSeen.push(request);
        };
        for (const what of steps) {
          if (what === "push") outbox.push(failed(String(pushed++)));
          else if (what === "send") send();
          else if (what === "lose") outbox.rewind();
          else outbox.acknowledge(outbox.lastSent ?? 0);
        }
        for (let left = 0; left < steps.length; left++) send();
        expect(firstSeen).toEqual(Array.from({ length: pushed }, (_, at) => String(at)));
      }),
    );
  });
});
