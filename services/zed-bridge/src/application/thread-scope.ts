import type { Limits } from "../domain/limits.ts";
import type { ThreadAction, ThreadMapping } from "../domain/thread-mapping.ts";
import type { Turn, TurnAction } from "../domain/turn.ts";
import type { Unit } from "../persistence/unit.ts";

/** A thread whose mapping is locked, in a transaction. */
export interface ThreadScope {
  readonly unit: Unit;
  readonly mapping: ThreadMapping;
  readonly limits: Limits;
  readonly now: Date;
}

/** What goes with a change of a turn's status. */
export interface TurnReason {
  /** UPPER_SNAKE; empty where the status is plain. */
  readonly reason?: string;
  /** In the agent's or the editor's own words. */
  readonly error?: string;
}

/** Moves a turn, and writes it down: every transition of every turn passes here. Returns whether there was one. */
export function moveTurn(
  { unit, mapping, now }: ThreadScope,
  turn: Turn,
  action: TurnAction,
  why: TurnReason = {},
): boolean {
  if (!turn.move(action, { now, ...why })) return false;
  if (turn.status === "running" || turn.status === "waiting") turn.startedAt ??= now;
  mapping.updatedAt = now;
  unit.log.turn(mapping, turn.id);
  return true;
}

/** Moves a thread, and writes it down: every transition of every mapping passes here. Returns whether there was one. */
export function moveThread({ unit, mapping, now }: ThreadScope, action: ThreadAction, reason = ""): boolean {
  if (!mapping.move(action, { now, reason })) return false;
  unit.log.mapping(mapping);
  return true;
}
