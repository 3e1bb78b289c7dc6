import type { SyncEvent } from "@helix-zed/sync-protocol";

// The outbox: events in order, kept until the server has them.
//
// The protocol has no acknowledgements, and an event that is written while its
// socket dies is lost in Zed. Here it stays: `next` only marks an event as sent,
// `acknowledge` drops it when the server has answered a WebSocket ping that was
// sent after it, and `rewind` makes everything unacknowledged due again when the
// link is lost. The server may so see an event twice, never out of order.
//
// It is bounded in two ways. The content of an entry is cumulative, so a newer
// message_added takes the place of one that has not gone out yet. And beyond the
// limit the oldest message_added that is not yet sent is dropped, because turn
// ends repeat the entries; events that happen once are never dropped for others.

export interface OutboxLimits {
  readonly bytesMax: number;
}

interface Item {
  readonly sequence: number;
  readonly key: string | undefined;
  event: SyncEvent;
  bytes: number;
}

/** Events on their way to the server. */
export class Outbox {
  readonly #limits: OutboxLimits;
  /** Sent and not acknowledged, oldest first. */
  #sent: Item[] = [];
  /** Not sent yet, in order; the map keeps insertion order while one item is dropped from the middle. */
  #due = new Map<number, Item>();
  readonly #dueByKey = new Map<string, Item>();
  #bytes = 0;
  #lastSequence = 0;
  #dropped = 0;

  constructor(limits: OutboxLimits = { bytesMax: 64 * 1024 * 1024 }) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many events did not fit. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The sequence number of the last event that went out and is not acknowledged. */
  get lastSent(): number | undefined {
    return this.#sent.at(-1)?.sequence;
  }

  /** Adds an event at the end, or in the place of the older state of the same entry. */
  push(event: SyncEvent): void {
    const key = keyOf(event);
    const older = key === undefined ? undefined : this.#dueByKey.get(key);
    const bytes = sizeOf(event);
    if (older !== undefined) {
      this.#bytes += bytes - older.bytes;
      older.event = event;
      older.bytes = bytes;
    } else {
      this.#lastSequence += 1;
      this.#enqueue({ sequence: this.#lastSequence, key, event, bytes });
      this.#bytes += bytes;
    }
    this.#shrink();
  }

  /** The next event to write; it counts as sent from now on. */
  next(): SyncEvent | undefined {
    const [item] = this.#due.values();
    if (item === undefined) return undefined;
    this.#removeDue(item);
    this.#sent.push(item);
    return item.event;
  }

  /** The server has everything up to this sequence number. */
  acknowledge(sequence: number): void {
    const firstKept = this.#sent.findIndex((item) => item.sequence > sequence);
    const gone = this.#sent.splice(0, firstKept === -1 ? this.#sent.length : firstKept);
    for (const item of gone) this.#bytes -= item.bytes;
  }

  /** The link is lost: what was not acknowledged has to go out again, before the rest. */
  rewind(): void {
    const all = [...this.#sent, ...this.#due.values()];
    this.#sent = [];
    this.#due = new Map();
    this.#dueByKey.clear();
    for (const item of all) this.#enqueue(item);
  }

  #enqueue(item: Item): void {
    this.#due.set(item.sequence, item);
    if (item.key !== undefined) this.#dueByKey.set(item.key, item);
  }

  #removeDue(item: Item): void {
    this.#due.delete(item.sequence);
    if (item.key !== undefined && this.#dueByKey.get(item.key) === item) this.#dueByKey.delete(item.key);
  }

  #shrink(): void {
    if (this.#bytes <= this.#limits.bytesMax) return;
    for (const item of this.#due.values()) {
      if (this.#bytes <= this.#limits.bytesMax) return;
      if (item.key === undefined) continue;
      this.#removeDue(item);
      this.#bytes -= item.bytes;
      this.#dropped += 1;
    }
  }
}

/** Events with the same key say the same thing at different times; an event without one happens once. */
function keyOf(event: SyncEvent): string | undefined {
  if (event.event_type !== "message_added") return undefined;
  const { acp_thread_id: threadId, message_id: messageId, request_id: requestId } = event.data;
  return `${threadId} ${messageId} ${requestId}`;
}

function sizeOf(event: SyncEvent): number {
  const fixed = 256;
  return event.event_type === "message_added" ? fixed + Buffer.byteLength(event.data.content) : fixed;
}
