// What is told of a thread over the wire
//
//   a new entry     → the turn's earlier entries once more, then the new one
//   a changed entry → at most every 100 ms for each entry, the last change never lost; tool calls at once, others before
//   the end         → everything that waits, every entry of the turn once more, then message_completed
//   an error        → everything that waits, then chat_response_error
//
// Request ids. A thread has the id that was dispatched to it last, in a map of the process; its subscription has one of
// its own for the turn, and keeps that until the turn's terminal event: a prompt from the wire does not change it, only
// the first entry after a terminal event does. Prompts that were typed take the map's id when they appear. So ids are
// hints: they may be empty, old, or said twice.
import { type SyncEvent, type TokenUsage } from "@helix-zed/sync-protocol";
import { eventOf } from "./event-of.ts";
import type { ThreadEvent, ZedEntry, ZedThread } from "./zed-thread.ts";
import type { ZedWorld } from "./zed-world.ts";

/** What a subscription needs of its process. */
export interface SubscriptionOptions {
  readonly thread: ZedThread;
  readonly world: ZedWorld;
  /** The id that the turn begins with; empty after a load. */
  readonly requestId: string;
  /** The id that was dispatched to the thread last. */
  readonly dispatched: () => string;
  readonly send: (event: SyncEvent) => void;
  /** A prompt was typed: what was put off until the first of them is said now. */
  readonly typed: () => void;
}

const THROTTLE_MS = 100;

/** Tells what happens in one thread. */
export class ThreadSubscription {
  readonly #options: SubscriptionOptions;
  readonly #sentAtMs = new Map<number, number>();
  readonly #pending = new Map<number, AbortController>();
  #turnRequest: string;
  #previousRequest = "";
  #completedRequest: string | null = null;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#turnRequest = options.requestId;
    options.thread.listener = (event) => this.#hear(event);
  }

  /** Says everything that is not a prompt, as after a load, under the map's id; no turn has begun with that. */
  replay(): void {
    this.#turnRequest = this.#options.dispatched();
    this.#previousRequest = this.#turnRequest;
    for (const [index, { role }] of this.#entries.entries()) if (role !== "user") this.#sendEntry(index);
    this.#turnRequest = "";
  }

  get #entries(): readonly ZedEntry[] {
    return this.#options.thread.entries;
  }

  #hear(event: ThreadEvent): void {
    switch (event.kind) {
      case "new_entry":
        return this.#newEntry(event.index);
      case "entry_updated":
        return this.#updatedEntry(event.index);
      case "stopped":
        return this.#stopped(event.usage);
      case "error":
        this.#flush();
        this.#options.send(eventOf("chat_response_error", { request_id: this.#terminalRequest(), error: event.error }));
    }
  }

  #newEntry(index: number): void {
    const entry = this.#entries[index];
    if (entry?.role === "user") {
      if (entry.external) return;
      this.#rotate();
      this.#options.typed();
      return this.#sendEntry(index);
    }
    if (this.#turnRequest === "" || this.#turnRequest === this.#completedRequest) this.#rotate();
    for (let earlier = this.#options.thread.turnStart; earlier < index; earlier++) this.#sendEntry(earlier);
    this.#sendEntry(index);
  }

  #updatedEntry(index: number): void {
    this.#flush({ except: index });
    const sentAtMs = this.#sentAtMs.get(index) ?? -Infinity;
    const waitMs = sentAtMs + THROTTLE_MS - this.#options.world.now().getTime();
    if (this.#entries[index]?.type === "tool_call" || waitMs <= 0) this.#sendEntry(index);
    else if (!this.#pending.has(index)) this.#sendLater(index, waitMs);
  }

  #sendLater(index: number, waitMs: number): void {
    const timer = new AbortController();
    this.#pending.set(index, timer);
    void this.#sendAfter(index, waitMs, timer.signal);
  }

  async #sendAfter(index: number, waitMs: number, given: AbortSignal): Promise<void> {
    await this.#options.world.sleep(waitMs, given).catch(() => {});
    if (!given.aborted) this.#sendEntry(index);
  }

  #stopped(usage: TokenUsage | null): void {
    this.#flush();
    for (let index = this.#options.thread.turnStart; index < this.#entries.length; index++) {
      if (this.#entries[index]?.content !== "") this.#sendEntry(index);
    }
    const { thread } = this.#options;
    const agent_name = thread.agentName === "claude" ? "claude-acp" : thread.agentName;
    const request_id = this.#terminalRequest();
    this.#options.send(eventOf("message_completed", { acp_thread_id: thread.id, request_id, agent_name, usage }));
  }

  /** The id of a terminal event: none, and one that was used already, is replaced by the map's. */
  #terminalRequest(): string {
    const isSpent = this.#turnRequest === "" || this.#turnRequest === this.#completedRequest;
    const request = isSpent ? this.#options.dispatched() : this.#turnRequest;
    this.#completedRequest = request;
    this.#turnRequest = request;
    return request;
  }

  #rotate(): void {
    this.#previousRequest = this.#turnRequest;
    this.#turnRequest = this.#options.dispatched();
  }

  #flush({ except = -1 }: { readonly except?: number } = {}): void {
    for (const index of this.#pending.keys()) if (index !== except) this.#sendEntry(index);
  }

  #sendEntry(index: number): void {
    const entry = this.#entries[index];
    if (entry === undefined) return;
    this.#pending.get(index)?.abort();
    this.#pending.delete(index);
    const now = this.#options.world.now().getTime();
    this.#sentAtMs.set(index, now);
    const { thread } = this.#options;
    const request_id = index < thread.turnStart - 1 ? this.#previousRequest : this.#turnRequest;
    const { role, content, type: entry_type, toolName: tool_name, toolStatus: tool_status } = entry;
    const what = { role, content, request_id, entry_type, tool_name, tool_status };
    const timestamp = Math.floor(now / 1_000);
    this.#options.send(
      eventOf("message_added", { acp_thread_id: thread.id, message_id: String(index), ...what, timestamp }),
    );
  }
}
