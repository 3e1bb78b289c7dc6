import type { SyncEvent } from "@helix-zed/sync-protocol";

// Requests, by the id that the server gave them
//
// A server that is not sure whether a request has arrived sends it again, under the same id. It must not reach the agent
// twice: the thread would have two turns. So the same frame again runs nothing; if the request has ended, its end is said
// once more. A further attempt is another matter: that is the server's decision to try again. Even then a request that
// the agent has answered is not asked again but told from its history; the index of threads remembers which those are, so
// that this holds across restarts of the host.

/** What to do with a request. */
export type Verdict =
  | { readonly kind: "run" }
  /** It waits or runs already. */
  | { readonly kind: "underWay" }
  /** It has ended, and nobody has asked to try again. */
  | { readonly kind: "over"; readonly threadId: string | null; readonly end: SyncEvent };

interface Request {
  attempt: number;
  threadId: string | null;
  /** The event that ended it; `null` while it waits or runs. */
  end: SyncEvent | null;
}

const requestsKept = 10_000;

/** The requests that this process has seen lately. */
export class Requests {
  readonly #requests = new Map<string, Request>();

  /** Takes a request in, and tells what to do with it. */
  take(id: string, attempt: number): Verdict {
    const known = this.#requests.get(id);
    if (known?.end === null) {
      known.attempt = Math.max(known.attempt, attempt);
      return { kind: "underWay" };
    }
    const threadId = known?.threadId ?? null;
    if (known?.end && attempt <= known.attempt) return { kind: "over", threadId, end: known.end };
    this.#put(id, { attempt, threadId, end: null });
    return { kind: "run" };
  }

  /** The thread of a request, once that has begun. */
  threadOf(id: string): string | null {
    return this.#requests.get(id)?.threadId ?? null;
  }

  /** The request has begun in this thread. */
  begin(id: string, threadId: string): void {
    this.#put(id, { attempt: this.#requests.get(id)?.attempt ?? 1, threadId, end: null });
  }

  /** The request has ended with this event. */
  end(id: string, event: SyncEvent): void {
    const known = this.#requests.get(id);
    if (known !== undefined) known.end = event;
  }

  #put(id: string, request: Request): void {
    this.#requests.delete(id);
    this.#requests.set(id, request);
    const [oldest] = this.#requests.keys();
    if (oldest !== undefined && this.#requests.size > requestsKept) this.#requests.delete(oldest);
  }
}
