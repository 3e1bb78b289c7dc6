import type { App } from "./app.ts";

/** The lease of a session is lost: nothing more is sent for it and nothing reported; what was done is kept. */
export async function releaseThread(app: App, { workSessionId }: { readonly workSessionId: string }): Promise<void> {
  const now = app.world.now();
  await app.database.transact(async (unit) => {
    const mapping = await unit.threads.lockOfSession(workSessionId);
    if (mapping === null || mapping.leaseEpoch === null) return;
    mapping.leaseEpoch = null;
    mapping.updatedAt = now;
  });
}
