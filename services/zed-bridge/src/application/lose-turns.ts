import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import { requeueTurn } from "./end-turn.ts";
import { moveThread, type ThreadScope } from "./thread-scope.ts";

/** Locks the threads of a locked instance that have not ended, as scopes. */
export async function lockThreads(app: App, unit: Unit, instance: ZedInstance, now: Date): Promise<ThreadScope[]> {
  const mappings = await unit.threads.lockLiveOf(instance.id);
  return mappings.map((mapping) => ({ unit, mapping, limits: app.limits, now }));
}

/** The process is gone, by itself or on purpose, and with it what it had in its hands. */
export async function loseTurns(scopes: readonly ThreadScope[], error: string, onPurpose = false): Promise<void> {
  for (const scope of scopes) {
    moveThread(scope, "disconnect", "EDITOR_LOST");
    const turn = await scope.unit.turns.inFlight(scope.mapping.id);
    if (turn !== null) await requeueTurn(scope, turn, { reason: "EDITOR_LOST", error }, onPurpose);
  }
}
