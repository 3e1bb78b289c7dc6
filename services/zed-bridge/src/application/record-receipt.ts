import type { App } from "./app.ts";
import type { LinkId } from "./close-link.ts";

/** Which prompt has arrived, and on which connection. */
export interface RecordReceipt extends LinkId {
  readonly turnId: string;
}

/** The editor has received the prompt of a turn. Means nothing for another connection than the one it was sent on. */
export async function recordReceipt(app: App, { instanceId, epoch, turnId }: RecordReceipt): Promise<void> {
  const now = app.world.now();
  await app.database.transact(({ turns }) => turns.noteReceipt({ instanceId, epoch, turnId, now }));
}
