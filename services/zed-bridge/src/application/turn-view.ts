import type { EntityManager } from "@mikro-orm/postgresql";
import { PermissionRequest } from "../domain/permission-request.ts";
import type { Turn } from "../domain/turn.ts";
import type { App } from "./app.ts";

/** A turn with what callers are shown along with it. */
export interface TurnView {
  readonly turn: Turn;
  /** What its agent asks to be allowed and nobody has answered, oldest first. */
  readonly permissionRequests: readonly PermissionRequest[];
}

/** Adds to turns what callers are shown along with them. */
export async function viewTurns(em: EntityManager, turns: readonly Turn[]): Promise<TurnView[]> {
  const waiting = turns.filter(({ status }) => status === "waiting");
  const asked = waiting.length === 0 ? [] : await unanswered(em, waiting);
  return turns.map((turn) => ({
    turn,
    permissionRequests: asked.filter((request) => request.turnId === turn.id && request.isOf(turn)),
  }));
}

/** The same for one turn that a use case has given. */
export async function viewTurn({ database }: App, turn: Turn): Promise<TurnView> {
  if (turn.status !== "waiting") return { turn, permissionRequests: [] };
  const [view] = await database.snapshot((em) => viewTurns(em, [turn]));
  return view ?? { turn, permissionRequests: [] };
}

function unanswered(em: EntityManager, turns: readonly Turn[]): Promise<PermissionRequest[]> {
  const where = { turnId: { $in: turns.map(({ id }) => id) }, answeredAt: null, resolvedAt: null };
  return em.find(PermissionRequest, where, { orderBy: { requestedAt: "asc", id: "asc" } });
}
