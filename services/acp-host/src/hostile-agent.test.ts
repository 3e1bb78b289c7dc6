import { contentLengthMax } from "@helix-zed/sync-protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endHosts, HostUnderTest } from "./testing/host-under-test.ts";

// One host, one thread, and an agent that does in each turn something that no agent should.

let desk: HostUnderTest;
let thread: string;
let requests = 0;

beforeAll(async () => {
  desk = new HostUnderTest();
  thread = await desk.thread();
});

afterAll(endHosts);

/** Says something in the thread; gives the event that ends the turn, and its entries. */
async function turn(message: string) {
  requests += 1;
  const request = `R${requests}`;
  const before = desk.events.length;
  desk.say(message, request, { acp_thread_id: thread });
  const end = await desk.ending(request);
  return { end, entries: desk.entries(request), frames: desk.events.slice(before) };
}

describe("a host", () => {
  test.each(["talk nonsense", "send odd updates", "flood the log"])(
    "bears an agent that does this: %s",
    async (what) => {
      const { end, entries } = await turn(what);
      expect(end.event_type).toBe("message_completed");
      expect(entries.at(-1)).toBe("still here");
    },
  );

  test("fails a turn that ends in a way that there is not", async () => {
    const { end } = await turn("end oddly");
    expect(end).toMatchObject({
      event_type: "chat_response_error",
      data: { error: 'agent "scripted" stopped: it says "because"' },
    });
  });

  test("cuts what is longer than any server takes, keeps no more of it, and says how much it was", async () => {
    const { entries } = await turn("talk without end");
    const more = 6_000_000 - contentLengthMax;
    expect(entries[0]?.slice(contentLengthMax)).toBe(`\n\n… ${more} more characters`);
    expect(entries.at(-1)).toBe("still here");
  });

  test("sends each of a thousand tool calls once when it comes, and once more at the end", async () => {
    const { frames } = await turn("use a thousand tools");
    expect(frames.length).toBeLessThan(2_100);
    expect(frames.filter(({ data }) => data["tool_name"] === "ls 0")).toHaveLength(2);
  });

  test.each(["write a line without end", "close its mouth"])(
    "ends an agent with which nobody can talk any more, and goes on with another: %s",
    async (what) => {
      const { end } = await turn(what);
      expect(end).toMatchObject({
        event_type: "chat_response_error",
        data: { error: expect.stringContaining("was killed by SIGTERM in mid-turn") },
      });
      expect((await turn("go on")).entries).toEqual(["heard go on"]);
    },
  );
});
