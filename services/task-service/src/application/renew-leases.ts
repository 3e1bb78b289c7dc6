import type { Actor } from "@helix-zed/domain";
import type { HeldLease } from "../persistence/lease-table.ts";
import type { App } from "./app.ts";

/** Which leases to prolong. */
export interface RenewLeases {
  readonly runner: string;
  readonly leases: readonly HeldLease[];
}

/** What became of the leases; the time is the database's. */
export interface RenewedLeases {
  readonly renewedIds: readonly string[];
  readonly lostIds: readonly string[];
  readonly expiresAt: Date;
}

/** Prolongs any number of leases in one statement, and says which are no longer held. */
export function renewLeases({ database, limits }: App, actor: Actor, command: RenewLeases): Promise<RenewedLeases> {
  return database.view(actor, async ({ leases }) => {
    const renewed = await leases.renew({ ...command, leaseMs: limits.leaseMs });
    const kept = new Set(renewed.renewedIds);
    const lostIds = command.leases.map(({ workSessionId }) => workSessionId).filter((id) => !kept.has(id));
    return { ...renewed, lostIds };
  });
}
