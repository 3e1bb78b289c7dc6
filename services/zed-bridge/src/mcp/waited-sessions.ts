import type { WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WatchWorkSessionsResponse } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { type FollowedEvent, isWorkSessionOver } from "@helix-zed/client";

/** Sessions whose end somebody waits for, as a watch of their task tells of them. */
export class WaitedSessions {
  readonly #waitedFor: readonly WorkSession[];
  readonly #until: "all" | "any";
  /** As they are now. One that is missing was deleted. */
  readonly #present: Map<string, WorkSession>;
  #inSnapshot = new Set<string>();

  constructor(sessions: readonly WorkSession[], until: "all" | "any") {
    this.#waitedFor = sessions;
    this.#until = until;
    this.#present = new Map(sessions.map((session) => [session.id, session]));
  }

  /** Those that have ended, as they ended. */
  get ended(): WorkSession[] {
    return [...this.#present.values()].filter(isWorkSessionOver);
  }

  /** Those that have not. */
  get running(): WorkSession[] {
    return [...this.#present.values()].filter((each) => !isWorkSessionOver(each));
  }

  /** Those that do not exist any more, as they were. */
  get deleted(): WorkSession[] {
    return this.#waitedFor.filter(({ id }) => !this.#present.has(id));
  }

  /** Whether what is waited for has happened. A session that was deleted will not end otherwise. */
  get isDone(): boolean {
    const left = this.running.length;
    return this.#until === "all" ? left === 0 : left < this.#waitedFor.length;
  }

  /** Takes in what the watch tells. */
  hear(event: FollowedEvent<WatchWorkSessionsResponse>): void {
    if (event.kind === "reset") {
      this.#inSnapshot = new Set();
      return;
    }
    const { event: told } = event.message;
    if (told.case === "changed") this.#see(told.value.workSession);
    if (told.case === "deleted" && told.value.gone) this.#present.delete(told.value.workSessionId);
    if (told.case === "synced") this.#forgetMissing();
  }

  #see(session: WorkSession | undefined): void {
    if (session === undefined || !this.#present.has(session.id)) return;
    this.#present.set(session.id, session);
    this.#inSnapshot.add(session.id);
  }

  #forgetMissing(): void {
    for (const id of this.#present.keys()) if (!this.#inSnapshot.has(id)) this.#present.delete(id);
  }
}
