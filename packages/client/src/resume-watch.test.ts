import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resumeWatch, type WatchEvent } from "./resume-watch.ts";

interface Message {
  readonly resumeToken: string;
}

const still = { sleep: async () => undefined, random: () => 0 };

/** A log of `length` messages; each stream begins after its token and breaks after as many messages as `cuts` says. */
function brokenLog(length: number, cuts: readonly number[]) {
  const opened: string[] = [];
  async function* open(resumeToken: string): AsyncGenerator<Message> {
    const cut = cuts[opened.length] ?? Infinity;
    opened.push(resumeToken);
    for (let seq = Number(resumeToken) + 1, sent = 0; seq <= length; seq++, sent++) {
      if (sent === cut) throw new ConnectError("cut", Code.Unavailable);
      yield { resumeToken: String(seq) };
    }
  }
  return { open, opened };
}

async function readUntil(length: number, events: AsyncGenerator<WatchEvent<Message>>): Promise<WatchEvent<Message>[]> {
  const seen: WatchEvent<Message>[] = [];
  for await (const event of events) {
    seen.push(event);
    if (event.kind === "message" && event.message.resumeToken === String(length)) break;
  }
  return seen;
}

function tokens(events: readonly WatchEvent<Message>[]): number[] {
  return events.flatMap((event) => (event.kind === "message" ? [Number(event.message.resumeToken)] : []));
}

describe("a resumed watch", () => {
  test("hands on every message once and in order, wherever its streams break", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.nat(5), { maxLength: 20 }),
        async (length, cuts) => {
          const { open } = brokenLog(length, cuts);
          const events = resumeWatch({ open, clock: still, signal: new AbortController().signal });
          const expected = Array.from({ length }, (_, index) => index + 1);
          expect(tokens(await readUntil(length, events))).toEqual(expected);
        },
      ),
    );
  });

  test("opens again right after the last message it handed on", async () => {
    const { open, opened } = brokenLog(5, [2, 0, 1]);
    await readUntil(5, resumeWatch({ open, clock: still, signal: new AbortController().signal }));
    expect(opened).toEqual(["", "2", "2", "3"]);
  });

  test("begins with a new snapshot, and says so, when its token is refused", async () => {
    const refused: string[] = [];
    async function* open(resumeToken: string): AsyncGenerator<Message> {
      refused.push(resumeToken);
      if (resumeToken === "1") throw new ConnectError("compacted", Code.OutOfRange);
      yield { resumeToken: refused.length === 1 ? "1" : "9" };
    }
    const events = await readUntil(9, resumeWatch({ open, clock: still, signal: new AbortController().signal }));
    expect(refused).toEqual(["", "1", ""]);
    expect(events.filter(({ kind }) => kind === "opening")).toEqual([
      { kind: "opening", snapshot: true },
      { kind: "opening", snapshot: false },
      { kind: "opening", snapshot: true },
    ]);
  });

  test("counts a silent stream as broken", async () => {
    let streams = 0;
    async function* open(_token: string, signal: AbortSignal): AsyncGenerator<Message> {
      if (++streams === 1)
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      yield { resumeToken: "1" };
    }
    const signal = new AbortController().signal;
    const events = await readUntil(1, resumeWatch({ open, clock: still, signal, silenceMaxMs: 5 }));
    expect(tokens(events)).toEqual([1]);
    expect(events[1]).toMatchObject({
      kind: "broken",
      error: { message: "nothing heard for 5 ms" },
    });
  });

  test("waits longer after each failure in a row, up to its limit", async () => {
    const waited: number[] = [];
    const clock = { sleep: async (ms: number) => void waited.push(ms), random: () => 1 };
    const { open } = brokenLog(1, [0, 0, 0, 0, 0, 0]);
    await readUntil(1, resumeWatch({ open, clock, signal: new AbortController().signal, retryMaxMs: 1_000 }));
    expect(waited).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test("ends when its signal aborts, without an error", async () => {
    const stop = new AbortController();
    async function* open(_token: string, signal: AbortSignal): AsyncGenerator<Message> {
      yield { resumeToken: "1" };
      stop.abort();
      signal.throwIfAborted();
    }
    const seen: string[] = [];
    for await (const { kind } of resumeWatch({ open, clock: still, signal: stop.signal })) seen.push(kind);
    expect(seen).toEqual(["opening", "message"]);
  });
});
