import type { App } from "./app.ts";

/** One connection of one instance. */
export interface LinkId {
  readonly instanceId: string;
  readonly epoch: number;
}

/** The link is gone: its threads are disconnected, its turns go on. Means nothing for an epoch that is not current. */
export async function closeLink(_app: App, _link: LinkId): Promise<void> {
  throw new Error("not written yet");
}
