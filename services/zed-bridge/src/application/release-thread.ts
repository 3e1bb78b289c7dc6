import type { App } from "./app.ts";

/** Whose lease is lost, and which one: without an epoch whichever is written down. */
export interface ReleaseThread {
  readonly workSessionId: string;
  readonly leaseEpoch?: bigint;
}

/** The lease of a session is lost: nothing more is sent for it and nothing reported; what was done is kept. */
export async function releaseThread(app: App, { workSessionId, leaseEpoch }: ReleaseThread): Promise<void> {
  const now = app.world.now();
  await app.database.transact(async (unit) => {
    const mapping = await unit.threads.lockOfSession(workSessionId);
    if (mapping === null || mapping.leaseEpoch === null) return;
    if (leaseEpoch !== undefined && mapping.leaseEpoch !== leaseEpoch) return;
    mapping.leaseEpoch = null;
    mapping.updatedAt = now;
  });
}
