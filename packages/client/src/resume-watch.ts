// Resume-watch: one endless stream out of many that break.
//
// A watch carries a resume token in its messages. This generator opens the watch, hands its messages on, and when the
// stream breaks opens it again right after the last message it handed on. So its reader misses nothing and sees nothing
// twice, whatever the network does.
//
// When does a stream count as broken? When it throws, when it ends without having said all (`ends`), and when it is
// silent for longer than `silenceMaxMs`: the services send a heartbeat every 15 s at the latest, so silence means a peer
// that is gone without a goodbye.
//
// What if the token is refused? OUT_OF_RANGE (older than the log, or of another log) means that the gap cannot be
// filled. The next stream then begins with a snapshot, and the reader is told by an `opening` event with
// `snapshot: true`, as at the very first.
//
// What if the server will never serve the request (`isRefusal`)? The generator throws what it said.

import { Code } from "@connectrpc/connect";
import { pauseAfter } from "./back-off.ts";
import type { Clock } from "./clock.ts";
import { errorCode } from "./error-code.ts";

/** What comes out of a resumed watch: its messages, and a note each time that a stream is opened or broke. */
export type WatchEvent<Message> =
  | { readonly kind: "opening"; readonly snapshot: boolean }
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "broken"; readonly error: unknown; readonly retryAfterMs: number };

/** How a watch is opened and how patient its reader is. */
export interface ResumeWatchOptions<Message> {
  /** Opens the stream after `resumeToken`, from a snapshot if that is empty. Ends it when `signal` aborts. */
  readonly open: (resumeToken: string, signal: AbortSignal) => AsyncIterable<Message>;
  readonly clock: Pick<Clock, "sleep" | "random">;
  /** Ends the whole watch, without an error. */
  readonly signal: AbortSignal;
  /** Whether a stream that ends without an error has said all. Default: no, it counts as broken. */
  readonly ends?: boolean;
  /** Whether a failure of this code is for good. Default: never. */
  readonly isRefusal?: (code: Code) => boolean;
  /** How long a stream may be silent before it counts as broken, in milliseconds. Default 45,000. */
  readonly silenceMaxMs?: number;
  /** The longest pause between two tries unless the server asks for a longer one, in milliseconds. Default 5,000. */
  readonly retryMaxMs?: number;
}

const RETRY_FIRST_MS = 100;

/** Watches until the signal aborts, over as many streams as it takes. */
export async function* resumeWatch<Message extends { readonly resumeToken: string }>(
  options: ResumeWatchOptions<Message>,
): AsyncGenerator<WatchEvent<Message>, void> {
  const { clock, signal, ends = false, isRefusal = () => false, retryMaxMs = 5_000 } = options;
  let resumeToken = "";
  let failures = 0;
  while (!signal.aborted) {
    yield { kind: "opening", snapshot: resumeToken === "" };
    let broken: unknown = new Error("the stream ended");
    try {
      for await (const message of readStream(options, resumeToken)) {
        failures = 0;
        yield { kind: "message", message };
        if (message.resumeToken !== "") resumeToken = message.resumeToken;
      }
      if (ends) return;
    } catch (error) {
      if (signal.aborted) return;
      const code = errorCode(error);
      if (isRefusal(code)) throw error;
      if (code === Code.OutOfRange) resumeToken = "";
      broken = error;
    }
    const retryAfterMs = pauseAfter(++failures, broken, { firstMs: RETRY_FIRST_MS, maxMs: retryMaxMs }, clock);
    yield { kind: "broken", error: broken, retryAfterMs };
    await clock.sleep(retryAfterMs, signal).catch(() => undefined);
  }
}

async function* readStream<Message>(
  { open, signal, silenceMaxMs = 45_000 }: ResumeWatchOptions<Message>,
  resumeToken: string,
): AsyncGenerator<Message, void> {
  const silence = new AbortController();
  const heard = (): ReturnType<typeof setTimeout> =>
    setTimeout(() => silence.abort(new Error(`nothing heard for ${silenceMaxMs} ms`)), silenceMaxMs);
  let timer = heard();
  try {
    for await (const message of open(resumeToken, AbortSignal.any([signal, silence.signal]))) {
      clearTimeout(timer);
      yield message;
      // From here on: a reader that takes its time is no silence of the server's.
      timer = heard();
    }
  } finally {
    clearTimeout(timer);
  }
}
