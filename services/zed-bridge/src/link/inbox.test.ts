import { describe, expect, test } from "vitest";
import { Inbox } from "./inbox.ts";

/** An inbox whose frames are taken in one at a time, when the test says so. */
function openInbox({ framesMax = 4, charactersMax = 1_000 } = {}) {
  const taken: string[] = [];
  const switches: string[] = [];
  let proceed: (() => void) | null = null;
  const inbox = new Inbox({
    framesMax,
    charactersMax,
    take: async (frame) => {
      await new Promise<void>((resolve) => (proceed = resolve));
      taken.push(frame);
    },
    pause: () => switches.push("pause"),
    resume: () => switches.push("resume"),
  });
  const takeOne = async (): Promise<void> => {
    const before = taken.length;
    proceed?.();
    while (taken.length === before) await Promise.resolve();
    // The next frame is offered only after this one is done with.
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
  };
  return { inbox, taken, switches, takeOne };
}

describe("the inbox of a link", () => {
  test("takes frames in one after the other, in their order", async () => {
    const { inbox, taken, takeOne } = openInbox();
    for (const frame of ["a", "b", "c"]) inbox.add(frame);
    await takeOne();
    inbox.add("d");
    expect(taken).toEqual(["a"]);
    for (let left = 3; left > 0; left--) await takeOne();
    await inbox.empty();
    expect(taken).toEqual(["a", "b", "c", "d"]);
  });

  test("makes the sender wait while too many frames do, and lets it go on when half is done", async () => {
    const { inbox, switches, takeOne } = openInbox({ framesMax: 4 });
    for (const frame of ["a", "b", "c", "d"]) inbox.add(frame);
    expect(inbox.paused).toBe(false);
    for (const frame of ["e", "f"]) inbox.add(frame);
    expect(switches).toEqual(["pause"]);
    for (let left = 3; left > 0; left--) await takeOne();
    expect(switches).toEqual(["pause"]);
    await takeOne();
    expect(switches).toEqual(["pause", "resume"]);
  });

  test("makes the sender wait while few but large frames do", async () => {
    const { inbox, switches, takeOne } = openInbox({ charactersMax: 100 });
    inbox.add("x".repeat(60));
    inbox.add("x".repeat(60));
    expect(switches).toEqual(["pause"]);
    await takeOne();
    await takeOne();
    expect(switches).toEqual(["pause", "resume"]);
  });
});
