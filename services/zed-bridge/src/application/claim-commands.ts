import type { SyncCommand } from "@helix-zed/sync-protocol";
import type { App } from "./app.ts";
import type { LinkId } from "./close-link.ts";

/** The commands that are due on a link, each given out once. Empty for an epoch that is not current. */
export async function claimCommands(_app: App, _link: LinkId): Promise<SyncCommand[]> {
  throw new Error("not written yet");
}
