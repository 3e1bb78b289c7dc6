import type { Turn } from "../domain/turn.ts";
import { moveTurn, type ThreadScope } from "./thread-scope.ts";

const ASKING = ["Waiting for confirmation"];

/**
 * Lets a turn wait while its agent asks for something, and go on when it does no more. An editor shows that by a tool's
 * status; our own hosts tell their requests for permission besides.
 */
export async function followAsking(scope: ThreadScope, turn: Turn): Promise<void> {
  const { unit } = scope;
  const { permissions, entries } = unit;
  const asks =
    (await permissions.unresolved(turn)).length > 0 || (await entries.hasTool(turn.id, turn.sentLaunch, ASKING));
  if (asks) return void moveTurn(scope, turn, "ask");
  if (turn.status !== "waiting") return;
  const last = await permissions.lastResolved(turn);
  moveTurn(scope, turn, "resume", last?.isExpired === true ? { reason: "PERMISSION_EXPIRED" } : {});
}
