// Many clients at once, and one watch over all that they do; and in the end, the verdict.

import { createClient, type Transport } from "@connectrpc/connect";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { problemsOf } from "@helix-zed/harness/watch-history.ts";
import { callUntilAnswered, ErrorTally } from "./call-until-answered.ts";
import { PersistentClient } from "./persistent-client.ts";
import { TaskWatch } from "./task-watch.ts";

/** What became of what the clients did. */
export interface Verdict {
  /** What was lost or doubled, in words. */
  readonly problems: readonly string[];
  /** What the watch got wrong, in words. */
  readonly watchProblems: readonly string[];
  /** How many steps were acknowledged. */
  readonly steps: number;
  readonly tally: ErrorTally;
  readonly watch: TaskWatch;
}

/** Clients of one tenant, at work from the start. */
export class ClientCrowd {
  readonly tally = new ErrorTally();
  readonly watch: TaskWatch;
  readonly #clients: readonly PersistentClient[];
  readonly #transports: readonly Transport[];
  readonly #stop = new AbortController();
  readonly #done: Promise<unknown>;
  readonly #waiting = new Set<() => void>();

  /** One client after another takes the next of the transports. */
  constructor({ count, transports }: { readonly count: number; readonly transports: readonly Transport[] }) {
    this.#transports = transports;
    this.watch = new TaskWatch(transports.map((transport) => createClient(TaskService, transport)));
    this.#clients = Array.from({ length: count }, (_, index) => this.#client(`client ${index}`, index));
    this.#done = Promise.all(this.#clients.map((client) => client.run(this.#stop.signal)));
    // Heard of at the end, or while somebody waits for steps.
    this.#done.catch(() => {});
  }

  /** How many steps were acknowledged so far. */
  get steps(): number {
    return this.#clients.reduce((sum, { steps }) => sum + steps, 0);
  }

  /** Waits until so many more steps are acknowledged. */
  async more(steps: number): Promise<void> {
    const wanted = this.steps + steps;
    const reached = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.steps < wanted) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
    await Promise.race([reached, this.#done]);
  }

  /** Lets everybody finish, and compares what was acknowledged with what is there and with what was watched. */
  async finish(): Promise<Verdict> {
    this.#stop.abort();
    try {
      await this.#done;
      await Promise.all(this.#clients.map((client) => client.verify()));
      const last = this.#client("the last client", 0);
      await this.watch.shows(await last.createOne());
      const everybody = [...this.#clients, last];
      const names = await this.#compareNames(everybody);
      const committed = everybody.flatMap((client) => client.committed);
      const problems = [...everybody.flatMap((client) => client.problems), ...names];
      const watchProblems = problemsOf(await this.watch.stop(), committed);
      return { problems, watchProblems, steps: this.steps, tally: this.tally, watch: this.watch };
    } finally {
      await this.watch.stop();
    }
  }

  #client(name: string, index: number): PersistentClient {
    const transport = this.#transports[index % this.#transports.length];
    if (transport === undefined) throw new Error("There is nothing to connect to.");
    const onStep = (): void => this.#waiting.forEach((look) => look());
    return new PersistentClient({ name, transport, tally: this.tally, onStep });
  }

  /** Every task that was created is listed, once; nothing else is. */
  async #compareNames(clients: readonly PersistentClient[]): Promise<string[]> {
    const expected = new Set(clients.flatMap(({ names }) => names));
    const listed = await this.#listNames();
    const doubled = listed.filter((name, index) => listed.indexOf(name) !== index || !expected.has(name));
    const lost = [...expected].filter((name) => !listed.includes(name));
    return [...doubled.map((name) => `${name} is there twice`), ...lost.map((name) => `${name} is gone`)];
  }

  async #listNames(): Promise<string[]> {
    const [transport] = this.#transports;
    if (transport === undefined) return [];
    const client = createClient(TaskService, transport);
    const names: string[] = [];
    for (let pageToken = ""; ;) {
      const request = { pageSize: 1_000, pageToken };
      const outcome = await callUntilAnswered(this.tally, () => client.listTasks(request));
      if (outcome.kind === "refused") throw outcome.error;
      names.push(...outcome.value.tasks.map(({ name }) => name));
      pageToken = outcome.value.nextPageToken;
      if (pageToken === "") return names;
    }
  }
}
