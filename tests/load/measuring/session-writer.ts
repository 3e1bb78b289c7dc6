import { type Actor, Refusal } from "@helix-zed/domain";
import type { App } from "../../../services/task-service/src/application/app.ts";
import { claimWorkSession } from "../../../services/task-service/src/application/claim-work-session.ts";
import { createTask } from "../../../services/task-service/src/application/create-task.ts";
import { releaseWorkSession } from "../../../services/task-service/src/application/release-work-session.ts";
import { aTask } from "./a-task.ts";

const runner: Actor = { kind: "service", name: "load", roles: ["runner"] };

/** What a change made of a session. */
export interface Written {
  readonly id: string;
  readonly version: number;
}

/** Changes one work session again and again: it is claimed, given back, claimed. Each time is one change in the log. */
export class SessionWriter {
  readonly #app: App;
  readonly #workSessionId: string;
  #epoch: number | null = null;

  private constructor(app: App, workSessionId: string) {
    this.#app = app;
    this.#workSessionId = workSessionId;
  }

  /** One with a session of its own, of a user. */
  static async create(app: App, userId: string): Promise<SessionWriter> {
    const task = await createTask(app, { kind: "user", userId }, aTask);
    const sessions = await app.database.view(runner, ({ workSessions }) => workSessions.allOf(task.id, 1));
    const [session] = sessions;
    if (session === undefined) throw new Error("The task has no session.");
    return new SessionWriter(app, session.id);
  }

  async write(): Promise<Written> {
    const { id, version, leaseEpoch } = await this.#change().catch((error: unknown) => this.#claimAnew(error));
    this.#epoch = this.#epoch === null ? leaseEpoch : null;
    return { id, version };
  }

  /** On a busy machine a lease may run out between two changes. */
  #claimAnew(error: unknown) {
    if (!(error instanceof Refusal) || error.reason !== "LEASE_LOST") throw error;
    this.#epoch = null;
    return this.#change();
  }

  async #change() {
    const asked = { workSessionId: this.#workSessionId, runner: "load" };
    if (this.#epoch === null) return (await claimWorkSession(this.#app, runner, asked)).session;
    return releaseWorkSession(this.#app, runner, { ...asked, epoch: this.#epoch, reason: "" });
  }
}
