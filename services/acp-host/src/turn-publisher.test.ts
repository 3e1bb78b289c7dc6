import type { SyncEvent } from "@helix-zed/sync-protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderEntry } from "./entries.ts";
import { SimulatedWorld } from "./testing/simulated-world.ts";
import { Thread, type Change } from "./thread.ts";
import { TurnPublisher } from "./turn-publisher.ts";

function setUp() {
  const world = new SimulatedWorld();
  const thread = new Thread();
  const sent: SyncEvent[] = [];
  const publisher = new TurnPublisher({ threadId: "T", thread, world, send: (event) => sent.push(event) });
  const publish = (change: Change | undefined): void => {
    if (change !== undefined) publisher.publish(change);
  };
  return {
    world,
    thread,
    publisher,
    publish,
    sent,
    say: (text: string): void => publish(thread.appendChunk("message", text)),
    tool: (id: string, title = id): void => publish(thread.upsertToolCall({ id, title, kind: "execute" })),
    prompt: (requestId: string, echo = false): void => {
      publisher.beginTurn(requestId);
      publish(thread.addUserMessage(requestId, { echo }));
    },
    end: (requestId: string): void => publisher.endTurn(completed(requestId)),
    /** What went out since the last call, as `index:content`. */
    taken: (): string[] => sent.splice(0).map(brief),
  };
}

function brief(event: SyncEvent): string {
  return event.event_type === "message_added" ? `${event.data.message_id}:${short(event.data.content)}` : "end";
}

function completed(request_id: string): SyncEvent {
  const data = { acp_thread_id: "T", message_id: "0", request_id, agent_name: "a", usage: null };
  return { event_type: "message_completed", data };
}

function short(content: string): string {
  return /^\*\*Tool Call: (.*)\*\*/.exec(content)?.[1] ?? content;
}

describe("text of an entry", () => {
  test("goes out at once, then at most every 100 ms, whole each time", () => {
    const { say, prompt, world, taken } = setUp();
    prompt("R1");
    for (const word of ["a", "b", "c"]) say(word);
    expect(taken()).toEqual(["1:a"]);
    world.advance(99);
    expect(taken()).toEqual([]);
    world.advance(1);
    expect(taken()).toEqual(["1:abc"]);
    world.advance(500);
    say("d");
    expect(taken()).toEqual(["1:abcd"]);
  });

  test("never keeps its last state to itself", () => {
    const { say, prompt, world, taken } = setUp();
    prompt("R1");
    say("a");
    world.advance(50);
    say("b");
    world.advance(1000);
    expect(taken().at(-1)).toBe("1:ab");
  });
});

describe("a new entry", () => {
  test("is preceded by what waits, and repeats nothing", () => {
    const { say, tool, prompt, taken } = setUp();
    prompt("R1");
    say("a");
    say("b");
    taken();
    tool("ls");
    expect(taken()).toEqual(["1:ab", "2:ls"]);
    say("c");
    expect(taken()).toEqual(["3:c"]);
  });

  test("repeats nothing of earlier turns", () => {
    const { say, prompt, end, taken } = setUp();
    prompt("R1");
    say("a");
    end("R1");
    taken();
    prompt("R2");
    say("b");
    expect(taken()).toEqual(["3:b"]);
  });
});

describe("a tool call", () => {
  test("goes out at every change, after the text that waits", () => {
    const { say, tool, prompt, taken } = setUp();
    prompt("R1");
    tool("x");
    say("a");
    say("b");
    taken();
    tool("x", "y");
    tool("x", "z");
    expect(taken()).toEqual(["2:ab", "1:y", "1:z"]);
  });
});

describe("the end of a turn", () => {
  test("comes after every entry of the turn, in its last state", () => {
    const { say, tool, prompt, end, taken, world } = setUp();
    prompt("R1");
    say("a");
    tool("x");
    say("b");
    say("c");
    taken();
    end("R1");
    expect(taken()).toEqual(["3:bc", "1:a", "2:x", "3:bc", "end"]);
    world.advance(1000);
    expect(taken()).toEqual([]);
  });

  test("leaves late changes to the turn they belong to", () => {
    const { say, tool, prompt, end, sent } = setUp();
    prompt("R1");
    tool("x");
    end("R1");
    say("late");
    prompt("R2");
    say("new");
    tool("x", "late too");
    sent.splice(0, sent.findIndex((event) => event.event_type === "message_completed") + 1);
    const tagged = sent.map((event) =>
      event.event_type === "message_added" ? `${event.data.request_id}:${event.data.message_id}` : "",
    );
    expect(tagged).toEqual(["R1:2", "R2:4", "R1:1"]);
  });
});

describe("the user's own words", () => {
  test("come back only if they were typed here", () => {
    const { prompt, taken, say } = setUp();
    prompt("R1");
    expect(taken()).toEqual([]);
    prompt("R2", true);
    expect(taken()).toEqual(["1:R2"]);
    say("a");
    expect(taken()).toEqual(["2:a"]);
  });
});

describe("a history that was replayed", () => {
  test("is never sent, but counts", () => {
    const { thread, publish, prompt, say, end, taken } = setUp();
    publish(thread.replayUserChunk("old"));
    publish(thread.appendChunk("message", "answer"));
    prompt("R1");
    say("a");
    end("R1");
    expect(taken()).toEqual(["3:a", "3:a", "end"]);
  });
});

describe("whatever an agent does", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("say" as const), text: fc.string({ minLength: 1, maxLength: 4 }) }),
    fc.record({ do: fc.constant("tool" as const), text: fc.constantFrom("x", "y", "z") }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 150 }) }),
  );

  test("a receiver who upserts has the thread as it is when the turn ends", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { say, tool, world, prompt, end, sent, thread } = setUp();
        prompt("R1");
        for (const one of steps) {
          if (one.do === "say") say(one.text);
          else if (one.do === "tool") tool(one.text, `${one.text}${world.now()}`);
          else world.advance(one.ms);
        }
        end("R1");
        const received = new Map(
          sent.flatMap((event) =>
            event.event_type === "message_added" ? [[event.data.message_id, event.data.content]] : [],
          ),
        );
        const entries = Array.from({ length: thread.length - 1 }, (_, at) => thread.at(at + 1));
        expect([...received]).toEqual(
          entries.map((entry, at) => [String(at + 1), entry === undefined ? "" : renderEntry(entry)]),
        );
        expect(sent.at(-1)?.event_type).toBe("message_completed");
      }),
    );
  });
});
