import type { OnTurnEnd } from "../domain/thread-mapping.ts";
import type { App, WorkSessionFacts } from "./app.ts";

/** A claimed work session, and how to work on it. */
export interface OpenThread {
  readonly workSession: WorkSessionFacts;
  readonly leaseEpoch: bigint;
  readonly firstPrompt: string;
  /** A real path below a root, as `resolveProjectPath` gives it. */
  readonly projectPath: string;
  readonly onTurnEnd: OnTurnEnd;
  /** This bridge's name. */
  readonly runner: string;
}

/** Which thread and which process carry the session out. */
export interface OpenedThread {
  readonly mappingId: string;
  readonly instanceId: string;
}

/** Gets or makes what a claimed session needs: instance, mapping, first turn. Safe to repeat. Refuses unknown agents. */
export async function openThread(_app: App, _command: OpenThread): Promise<OpenedThread> {
  throw new Error("not written yet");
}
