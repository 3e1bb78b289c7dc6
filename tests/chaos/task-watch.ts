import { type Client } from "@connectrpc/connect";
import { resumeWatch, systemClock } from "@helix-zed/client";
import type { TaskService, WatchTasksResponse } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import type { Seen } from "@helix-zed/harness/watch-history.ts";

const RETRY_MS_MAX = 200;

/** Watches all tasks and sessions of one tenant over every break, each time on the next replica, and notes what it sees. */
export class TaskWatch {
  readonly #clients: readonly Client<typeof TaskService>[];
  readonly #stop = new AbortController();
  readonly #seen: Seen[] = [];
  readonly #awaited = new Map<string, () => void>();
  readonly #done: Promise<void>;
  #isSynced = false;
  /** How often a stream was opened. */
  connections = 0;
  /** How often a token was refused, and the history had to begin anew. */
  restarts = 0;

  constructor(clients: readonly Client<typeof TaskService>[]) {
    this.#clients = clients;
    this.#done = this.#follow();
  }

  /** Resolves when a task is shown. */
  shows(id: string): Promise<void> {
    if (this.#seen.some((event) => event.kind === "changed" && event.id === id)) return Promise.resolve();
    return new Promise((resolve) => this.#awaited.set(id, resolve));
  }

  /** Ends it, and gives what it has seen. */
  async stop(): Promise<readonly Seen[]> {
    this.#stop.abort();
    await this.#done;
    return this.#seen;
  }

  async #follow(): Promise<void> {
    const events = resumeWatch<WatchTasksResponse>({
      open: (resumeToken, signal) => this.#open(resumeToken, signal),
      clock: systemClock,
      signal: this.#stop.signal,
      retryMaxMs: RETRY_MS_MAX,
    });
    for await (const event of events) {
      if (event.kind === "message") this.#note(event.message);
      else if (event.kind === "opening" && event.snapshot) this.#beginAnew();
    }
  }

  #open(resumeToken: string, signal: AbortSignal): AsyncIterable<WatchTasksResponse> {
    const client = this.#clients[this.connections++ % this.#clients.length];
    if (client === undefined) throw new Error("There is nothing to connect to.");
    return client.watchTasks({ includeWorkSessions: true, resumeToken }, { signal, timeoutMs: 0 });
  }

  /** A watch that is cut within its snapshot begins anew, and has promised nothing yet. */
  #beginAnew(): void {
    if (this.#isSynced) this.restarts++;
    this.#seen.length = 0;
  }

  #note({ event }: WatchTasksResponse): void {
    if (event.case === "synced") {
      this.#isSynced = true;
      this.#seen.push({ kind: "synced" });
    }
    if (event.case === "deleted") this.#seen.push({ kind: "deleted", id: event.value.resource.value ?? "" });
    if (event.case !== "changed" || event.value.resource.value === undefined) return;
    const { id, etag } = event.value.resource.value;
    this.#seen.push({ kind: "changed", id, version: Number(etag.replaceAll('"', "")) });
    this.#awaited.get(id)?.();
  }
}
