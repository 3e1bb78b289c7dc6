// Tasks and sessions for those that change their status
//
// Most changes of a status can be made once. So each is made of a stock, which is filled before it is measured.

import type { Actor } from "@helix-zed/domain";
import type { App } from "../../../services/task-service/src/application/app.ts";
import { createTask } from "../../../services/task-service/src/application/create-task.ts";
import { aTask } from "./a-task.ts";

const AT_A_TIME = 16;

/** A task and its one work session, both pending. */
export interface Pending {
  readonly taskId: string;
  readonly workSessionId: string;
}

/** Pending tasks of an actor, to be used up. */
export class PendingTasks {
  readonly #app: App;
  readonly #actor: Actor;
  readonly #stock: Pending[] = [];

  constructor(app: App, actor: Actor) {
    this.#app = app;
    this.#actor = actor;
  }

  /** Fills the stock up. */
  async fill(count: number): Promise<void> {
    const makers = Array.from({ length: AT_A_TIME }, async () => {
      while (this.#stock.length < count) this.#stock.push(await this.#make());
    });
    await Promise.all(makers);
  }

  /** One of the stock. */
  take(): Pending {
    const pending = this.#stock.pop();
    if (pending === undefined) throw new Error("The stock was too small for so many changes.");
    return pending;
  }

  async #make(): Promise<Pending> {
    const { id: taskId } = await createTask(this.#app, this.#actor, aTask);
    const [session] = await this.#app.database.view(this.#actor, ({ workSessions }) => workSessions.allOf(taskId, 1));
    if (session === undefined) throw new Error("The task has no session.");
    return { taskId, workSessionId: session.id };
  }
}
