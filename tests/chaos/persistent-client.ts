// A client that does not give up
//
//   create a task with two sessions ─▶ add a session ─▶ move sessions on ─▶ end the task ─▶ delete some ─▶ again
//
// Nobody else touches its tasks, so it knows what must be true after each step. A call that is not answered is made
// again with the same request_id or etag. After each step the client reads its task and notes what changed: a version
// that rises by more than one is an effect that happened twice, one that falls or does not rise is a write that was
// acknowledged and lost. What it notes is also what a watch must have shown (see harness/watch-history.ts).

import { randomUUID } from "node:crypto";
import { type Client, Code, createClient, type Transport } from "@connectrpc/connect";
import { type Task, TaskStatus, TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { type WorkSession, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import type { Committed, CommittedChange } from "@helix-zed/harness/watch-history.ts";
import { callUntilAnswered, type ErrorTally } from "./call-until-answered.ts";

/** Who it is and how it calls. */
export interface PersistentClientOptions {
  readonly name: string;
  readonly transport: Transport;
  readonly tally: ErrorTally;
  /** Hears of every step that was acknowledged. */
  readonly onStep: () => void;
}

/** What a client knows of one of its tasks. */
interface Known {
  readonly id: string;
  /** Every resource of the task with its version, the task's own among them. */
  readonly versions: Map<string, number>;
  task: Task;
  sessions: readonly WorkSession[];
}

interface Versioned {
  readonly id: string;
  readonly etag: string;
}

const CALL_TIMEOUT_MS = 30_000;
const SESSION_STEPS = [WorkSessionStatus.ACTIVE, WorkSessionStatus.COMPLETED] as const;

/** One client with tasks of its own. */
export class PersistentClient {
  /** What it did, a transaction at a time. */
  readonly committed: Committed[] = [];
  /** What was lost or doubled, in words. */
  readonly problems: string[] = [];
  readonly #options: PersistentClientOptions;
  readonly #tasks: Client<typeof TaskService>;
  readonly #sessions: Client<typeof WorkSessionService>;
  readonly #alive = new Map<string, Known>();
  #created = 0;
  #steps = 0;

  constructor(options: PersistentClientOptions) {
    this.#options = options;
    this.#tasks = createClient(TaskService, options.transport);
    this.#sessions = createClient(WorkSessionService, options.transport);
  }

  /** The tasks that it created and did not delete, by name. */
  get names(): string[] {
    return [...this.#alive.values()].map(({ task }) => task.name);
  }

  /** How many steps were acknowledged. */
  get steps(): number {
    return this.#steps;
  }

  /** Works until told to stop, and finishes what it is at. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const known = await this.#create();
      if (!stop.aborted) await this.#addSession(known);
      for (const status of SESSION_STEPS) {
        for (const session of known.sessions.slice(0, 2)) if (!stop.aborted) await this.#move(known, session, status);
      }
      if (!stop.aborted) await this.#end(known);
      if (!stop.aborted && this.#created % 3 === 0) await this.#delete(known);
    }
  }

  /** Creates one more task, and gives its id. */
  async createOne(): Promise<string> {
    return (await this.#create()).id;
  }

  /** Reads everything once more, and notes what is not as it was. */
  async verify(): Promise<void> {
    for (const known of this.#alive.values()) {
      const found = await this.#read(known.id);
      for (const { id, etag } of [found.task, ...found.sessions]) {
        if (versionOf(etag) !== known.versions.get(id))
          this.#problem(`${id} is ${etag} at the end, and was ${known.versions.get(id)}`);
      }
      const count = 1 + found.sessions.length;
      if (count !== known.versions.size) this.#problem(`${known.id} has ${count} resources of ${known.versions.size}`);
    }
  }

  async #create(): Promise<Known> {
    const name = `${this.#options.name}/${++this.#created}`;
    const workSessions = ["a", "b"].map((part) => ({ name: part, agentType: "simple" }));
    const request = { name, taskType: TaskType.CODING_SESSION, workSessions, requestId: randomUUID() };
    const { task } = await this.#call(`create ${name}`, () => this.#tasks.createTask(request, deadline()));
    if (task === undefined) throw new Error("The answer holds no task.");
    const known: Known = { id: task.id, versions: new Map(), task, sessions: [] };
    this.#alive.set(task.id, known);
    await this.#observe(known, `create ${name}`);
    return known;
  }

  async #addSession(known: Known): Promise<void> {
    const request = { taskId: known.id, name: "c", agentType: "simple", requestId: randomUUID() };
    await this.#call("add a session", () => this.#sessions.createWorkSession(request, deadline()));
    await this.#observe(known, `add a session to ${known.id}`);
    if (known.sessions.length !== 3) this.#problem(`${known.id} has ${known.sessions.length} sessions instead of 3`);
  }

  async #move(known: Known, { id }: WorkSession, status: WorkSessionStatus): Promise<void> {
    const etag = `"${known.versions.get(id)}"`;
    const request = { id, status, etag };
    const what = `move ${id} to status ${status}`;
    await this.#change(what, () => this.#sessions.updateWorkSessionStatus(request, deadline()));
    await this.#observe(known, what);
    if (known.sessions.find((session) => session.id === id)?.status !== status) this.#problem(`${what} is not seen`);
  }

  async #end(known: Known): Promise<void> {
    const status = this.#created % 2 === 0 ? TaskStatus.COMPLETED : TaskStatus.CANCELLED;
    const request = { id: known.id, status, etag: known.task.etag };
    await this.#change(`end ${known.id}`, () => this.#tasks.updateTaskStatus(request, deadline()));
    await this.#observe(known, `end ${known.id}`);
    if (known.task.status !== status) this.#problem(`the end of ${known.id} is not seen`);
  }

  async #delete(known: Known): Promise<void> {
    const request = { id: known.id, etag: known.task.etag };
    await this.#change(`delete ${known.id}`, () => this.#tasks.deleteTask(request, deadline()));
    this.#alive.delete(known.id);
    const changes = [...known.versions].map(([id, version]) => ({ id, version: version + 1, matches: false }));
    this.#note(changes);
  }

  /** Reads the task, and notes what the step that was just acknowledged has changed. */
  async #observe(known: Known, step: string): Promise<void> {
    Object.assign(known, await this.#read(known.id));
    const changes = [known.task, ...known.sessions].flatMap((found) => this.#changeOf(known, found, step));
    if (changes.length === 0) this.#problem(`${step}: acknowledged, and nothing has changed`);
    this.#note(changes);
  }

  #changeOf(known: Known, { id, etag }: Versioned, step: string): CommittedChange[] {
    const [before, version] = [known.versions.get(id) ?? 0, versionOf(etag)];
    if (version === before) return [];
    if (version !== before + 1) this.#problem(`${step}: ${id} went from version ${before} to ${version}`);
    known.versions.set(id, version);
    return [{ id, version, matches: true }];
  }

  #note(changes: readonly CommittedChange[]): void {
    this.committed.push({ changes, writer: { name: this.#options.name, step: this.#steps++ } });
    this.#options.onStep();
  }

  async #read(id: string): Promise<Pick<Known, "task" | "sessions">> {
    const [{ task }, { workSessions }] = await Promise.all([
      this.#call("read a task", () => this.#tasks.getTask({ id }, deadline())),
      this.#call("list sessions", () => this.#sessions.listWorkSessions({ taskId: id }, deadline())),
    ]);
    if (task === undefined) throw new Error("The answer holds no task.");
    return { task, sessions: workSessions };
  }

  /** A call that may be repeated as it is. */
  async #call<T>(what: string, call: () => Promise<T>): Promise<T> {
    const outcome = await callUntilAnswered(this.#options.tally, call);
    if (outcome.kind === "result") return outcome.value;
    throw new Error(`${this.#options.name} could not ${what}`, { cause: outcome.error });
  }

  /** A change under an etag: refused the second time, if the first try was carried out and its answer lost. */
  async #change(what: string, call: () => Promise<unknown>): Promise<void> {
    const outcome = await callUntilAnswered(this.#options.tally, call);
    if (outcome.kind === "result") return;
    const wasDone = [Code.Aborted, Code.FailedPrecondition, Code.NotFound].includes(outcome.error.code);
    if (outcome.isFirstTry || !wasDone) this.#problem(`${what}: ${outcome.error.message}`);
  }

  #problem(text: string): void {
    this.problems.push(`${this.#options.name}: ${text}`);
  }
}

function versionOf(etag: string): number {
  return Number(etag.replaceAll('"', ""));
}

function deadline(): { readonly timeoutMs: number } {
  return { timeoutMs: CALL_TIMEOUT_MS };
}
