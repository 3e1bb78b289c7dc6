import { renderEntry, type Entry } from "./entries.ts";
import { contentLengthMax, type SyncEvent } from "@helix-zed/sync-protocol";
import type { Change, Thread } from "./thread.ts";
import { toolLabel } from "./tool-call-markdown.ts";
import type { Timer, World } from "./world.ts";

// When an entry of a thread goes over the wire.
//
// - Text goes out at most every 100 ms per entry, and the last state always goes
//   out: a change inside that time waits for a timer.
// - Tool calls go out at once.
// - Before an entry goes out, what waits of the thread's other entries goes first.
// - When the turn ends, all its entries are sent again, so that a receiver who missed
//   one has it now. Receivers must therefore upsert by (thread, message_id). Zed does so
//   whenever an entry appears, which costs a turn of a thousand tool calls half a
//   million frames; here nothing is lost on the way (outbox.ts).
// - An entry carries the request id of the turn that it belongs to, also when it
//   changes after that turn has ended.
//
// What was in the thread before its first turn here (a replayed history) is
// never sent.

const textIntervalMs = 100;

export interface PublisherOptions {
  readonly threadId: string;
  readonly thread: Thread;
  readonly world: World;
  readonly send: (event: SyncEvent) => void;
}

interface TurnSpan {
  readonly firstIndex: number;
  readonly requestId: string;
}

/** Sends the entries of one thread. */
export class TurnPublisher {
  readonly #options: PublisherOptions;
  readonly #turns: TurnSpan[] = [];
  readonly #sentAt = new Map<number, number>();
  readonly #waiting = new Map<number, Timer>();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Entries from here on belong to this request, or those from an index on that are there already. */
  beginTurn(requestId: string, firstIndex = this.#options.thread.length): void {
    this.#turns.push({ firstIndex, requestId });
  }

  /** Tells that the thread has changed. */
  publish(change: Change): void {
    const turn = this.#turnOf(change.index);
    if (turn === undefined) return;
    this.#flushOthers(change.index);
    if (change.type === "new" || this.#mayGoNow(change.index)) this.#send(change.index);
    else this.#wait(change.index);
  }

  /** Sends everything of the turn that runs, then the event that ends it. */
  endTurn(end: SyncEvent): void {
    this.flush();
    const turn = this.#turns.at(-1);
    if (turn !== undefined) this.#sendRange(turn.firstIndex, this.#options.thread.length);
    this.#sentAt.clear();
    this.#options.send(end);
  }

  /** Sends what waits for its time. */
  flush(): void {
    this.#flushOthers(undefined);
  }

  #turnOf(index: number): TurnSpan | undefined {
    return this.#turns.findLast((turn) => turn.firstIndex <= index);
  }

  #mayGoNow(index: number): boolean {
    if (this.#options.thread.at(index)?.kind === "tool") return true;
    const { world } = this.#options;
    return world.now() - (this.#sentAt.get(index) ?? -Infinity) >= textIntervalMs;
  }

  #wait(index: number): void {
    if (this.#waiting.has(index)) return;
    const { world } = this.#options;
    const delayMs = (this.#sentAt.get(index) ?? 0) + textIntervalMs - world.now();
    this.#waiting.set(
      index,
      world.after(delayMs, () => this.#send(index)),
    );
  }

  #flushOthers(but: number | undefined): void {
    for (const index of [...this.#waiting.keys()].toSorted((a, b) => a - b)) {
      if (index !== but) this.#send(index);
    }
  }

  #sendRange(from: number, until: number): void {
    for (let index = from; index < until; index++) this.#send(index);
  }

  #send(index: number): void {
    this.#waiting.get(index)?.cancel();
    this.#waiting.delete(index);
    const { thread, world, send } = this.#options;
    const entry = thread.at(index);
    const turn = this.#turnOf(index);
    if (entry === undefined || turn === undefined || isSilent(entry)) return;
    this.#sentAt.set(index, world.now());
    send(this.#messageAdded({ entry, index, requestId: turn.requestId }));
  }

  #messageAdded({ entry, index, requestId }: { entry: Entry; index: number; requestId: string }): SyncEvent {
    const call = entry.kind === "tool" ? entry.call : undefined;
    const data = {
      acp_thread_id: this.#options.threadId,
      message_id: String(index),
      role: entry.kind === "user" ? "user" : "assistant",
      content: contentOf(entry),
      request_id: requestId,
      entry_type: call === undefined ? "text" : "tool_call",
      tool_name: call === undefined ? "" : toolLabel(call),
      tool_status: call?.status ?? "",
      timestamp: Math.floor(this.#options.world.now() / 1000),
    } as const;
    return { event_type: "message_added", data };
  }
}

/** What is longer than servers accept is cut, and says by how much. */
function contentOf(entry: Entry): string {
  const content = renderEntry(entry);
  const more = content.length - contentLengthMax + (entry.kind === "assistant" ? entry.droppedCharacters : 0);
  return more <= 0 ? content : `${content.slice(0, contentLengthMax).toWellFormed()}\n\n… ${more} more characters`;
}

/** The user's own words came from the server, which does not want them back unless it simulated typing. */
function isSilent(entry: Entry): boolean {
  return entry.kind === "user" ? !entry.echo : renderEntry(entry) === "";
}
