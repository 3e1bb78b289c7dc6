// Resume-watch: one endless stream out of many that break.
//
// A watch of ours carries a resume token in every message. This generator opens the watch, hands its messages on, and
// when the stream breaks opens it again right after the last message it handed on. So its reader misses nothing and
// sees nothing twice, whatever the network does.
//
// When does a stream count as broken? When it throws, when it ends, and when it is silent for longer than
// `silenceMaxMs`: the service sends a heartbeat every 15 s, so silence means a peer that is gone without a goodbye.
//
// What if the token is refused? OUT_OF_RANGE (older than the log, or of another log) means that the gap cannot be
// filled. The next stream then begins with a snapshot, and the reader is told by an `opened` event with
// `snapshot: true`, as at the very first.

import { Code } from "@connectrpc/connect";
import type { World } from "@helix-zed/domain";
import { errorCode } from "./error-code.ts";

/** What comes out of a resumed watch: its messages, and a note each time it was opened. */
export type WatchEvent<Message> =
  | { readonly kind: "opened"; readonly snapshot: boolean }
  | { readonly kind: "message"; readonly message: Message };

/** How a watch is opened and how patient its reader is. */
export interface ResumeWatchOptions<Message> {
  /** Opens the stream after `resumeToken`, from a snapshot if that is empty. Ends it when `signal` aborts. */
  readonly open: (resumeToken: string, signal: AbortSignal) => AsyncIterable<Message>;
  readonly world: Pick<World, "sleep" | "random">;
  /** Ends the whole watch. */
  readonly signal: AbortSignal;
  /** How long a stream may be silent before it counts as broken, in milliseconds. Default 45,000. */
  readonly silenceMaxMs?: number;
  /** The longest pause between two tries, in milliseconds. Default 5,000. */
  readonly retryMaxMs?: number;
  /** Hears why a stream broke. */
  readonly onBreak?: (reason: unknown) => void;
}

const RETRY_FIRST_MS = 100;

/** Watches until the signal aborts, over as many streams as it takes. */
export async function* resumeWatch<Message extends { readonly resumeToken: string }>(
  options: ResumeWatchOptions<Message>,
): AsyncGenerator<WatchEvent<Message>, void> {
  const { world, signal, retryMaxMs = 5_000, onBreak } = options;
  let resumeToken = "";
  let failures = 0;
  while (!signal.aborted) {
    yield { kind: "opened", snapshot: resumeToken === "" };
    try {
      for await (const message of readStream(options, resumeToken)) {
        failures = 0;
        yield { kind: "message", message };
        if (message.resumeToken !== "") resumeToken = message.resumeToken;
      }
    } catch (error) {
      if (signal.aborted) return;
      onBreak?.(error);
      if (errorCode(error) === Code.OutOfRange) resumeToken = "";
    }
    const pauseMaxMs = Math.min(RETRY_FIRST_MS * 2 ** failures++, retryMaxMs);
    // Half of the pause is random, so that runners that lost one service do not all return in the same instant.
    await world.sleep((pauseMaxMs / 2) * (1 + world.random()), signal).catch(() => undefined);
  }
}

async function* readStream<Message>(
  { open, signal, silenceMaxMs = 45_000 }: ResumeWatchOptions<Message>,
  resumeToken: string,
): AsyncGenerator<Message, void> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error(`nothing heard for ${silenceMaxMs} ms`)), silenceMaxMs);
  try {
    for await (const message of open(resumeToken, AbortSignal.any([signal, silence.signal]))) {
      timer.refresh();
      yield message;
    }
  } finally {
    clearTimeout(timer);
  }
}
