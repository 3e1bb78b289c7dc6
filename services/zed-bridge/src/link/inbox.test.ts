import { describe, expect, test } from "vitest";
import { Inbox, type Piece } from "./inbox.ts";

interface Word extends Piece {
  readonly text: string;
}

const word = (text: string, key: string | null = null): Word => ({ text, key, characters: text.length });

/** An inbox whose pieces are taken in one at a time, when the test says so. */
function openInbox({ framesMax = 4, charactersMax = 1_000 } = {}) {
  const taken: string[] = [];
  const switches: string[] = [];
  let proceed: (() => void) | null = null;
  const inbox = new Inbox<Word>({
    framesMax,
    charactersMax,
    take: async ({ text }) => {
      await new Promise<void>((resolve) => (proceed = resolve));
      taken.push(text);
    },
    pause: () => switches.push("pause"),
    resume: () => switches.push("resume"),
  });
  const takeOne = async (): Promise<void> => {
    const before = taken.length;
    proceed?.();
    while (taken.length === before) await Promise.resolve();
    // The next piece is offered only after this one is done with.
    for (let turns = 0; turns < 8; turns++) await Promise.resolve();
  };
  return { inbox, taken, switches, takeOne };
}

describe("the inbox of a link", () => {
  test("takes in one piece after the other, in their order", async () => {
    const { inbox, taken, takeOne } = openInbox();
    for (const text of ["a", "b", "c"]) inbox.add(word(text));
    await takeOne();
    inbox.add(word("d"));
    expect(taken).toEqual(["a"]);
    for (let left = 3; left > 0; left--) await takeOne();
    await inbox.empty();
    expect(taken).toEqual(["a", "b", "c", "d"]);
  });

  test("tells when what had come is taken in, whatever comes after it", async () => {
    const { inbox, taken, takeOne } = openInbox();
    inbox.add(word("a"));
    inbox.add(word("b"));
    let passed = false;
    const before = inbox.empty().then(() => (passed = true));
    inbox.add(word("c"));
    await takeOne();
    expect(passed).toBe(false);
    await takeOne();
    await before;
    expect(taken).toEqual(["a", "b"]);
    await takeOne();
  });

  test("takes in the newest state of a thing that waits, in the place of the older", async () => {
    const { inbox, taken, takeOne } = openInbox();
    inbox.add(word("x"));
    for (const text of ["a1", "b1", "a2", "a3"]) inbox.add(word(text, text[0]));
    for (let left = 3; left > 0; left--) await takeOne();
    expect(taken).toEqual(["x", "a3", "b1"]);
  });

  test("takes nothing in before what happened once, and nothing anew that is being taken in", async () => {
    const { inbox, taken, takeOne } = openInbox({ framesMax: 20 });
    inbox.add(word("a1", "a"));
    inbox.add(word("a2", "a"));
    inbox.add(word("end"));
    inbox.add(word("a3", "a"));
    for (let left = 4; left > 0; left--) await takeOne();
    expect(taken).toEqual(["a1", "a2", "end", "a3"]);
  });

  test("makes the sender wait while too many pieces do, and lets it go on when half is done", async () => {
    const { inbox, switches, takeOne } = openInbox({ framesMax: 4 });
    for (const text of ["a", "b", "c", "d"]) inbox.add(word(text));
    expect(inbox.paused).toBe(false);
    for (const text of ["e", "f"]) inbox.add(word(text));
    expect(switches).toEqual(["pause"]);
    for (let left = 3; left > 0; left--) await takeOne();
    expect(switches).toEqual(["pause"]);
    await takeOne();
    expect(switches).toEqual(["pause", "resume"]);
  });

  test("makes the sender wait while few but large pieces do", async () => {
    const { inbox, switches, takeOne } = openInbox({ charactersMax: 100 });
    inbox.add(word("x".repeat(60)));
    inbox.add(word("x".repeat(60)));
    expect(switches).toEqual(["pause"]);
    await takeOne();
    await takeOne();
    expect(switches).toEqual(["pause", "resume"]);
  });

  test("counts a large piece that was replaced once", async () => {
    const { inbox, switches } = openInbox({ charactersMax: 100 });
    inbox.add(word("first"));
    for (let version = 0; version < 20; version++) inbox.add(word("x".repeat(60), "a"));
    expect(switches).toEqual([]);
  });
});
