// The folders of instances that are over
//
// An instance's folder outlives its processes: it holds the agents' conversations, and the next process goes on with
// them. It is removed when its task was deleted, or when its last thread has ended long ago. Folders of which the database
// knows nothing are left alone: perhaps it is the wrong database.
import { readdir, rm } from "node:fs/promises";
import type { App } from "../application/app.ts";
import { listDisposableInstances } from "../application/list-disposable-instances.ts";
import { instanceFolder, instancesFolder } from "./instance-folder.ts";
import { endProcesses } from "./instance-processes.ts";

/** Whose folders, and how long they are kept. */
export interface FolderSweep {
  readonly app: App;
  readonly dataDirectory: string;
  /** From the end of the last thread. */
  readonly retentionMs: number;
}

/** The instances that have a folder here which nobody needs any more. */
export async function disposableFolders(sweep: FolderSweep): Promise<string[]> {
  const ids = await readdir(instancesFolder(sweep.dataDirectory)).catch(() => []);
  return ids.length === 0 ? [] : disposableAmong(sweep, ids);
}

/** Removes the folder of an instance if nobody needs it still; whatever runs in it ends before. */
export async function removeFolder(sweep: FolderSweep, instanceId: string): Promise<void> {
  // Perhaps somebody wanted it again meanwhile. A launch cannot begin now: one thing at a time is done for an instance.
  if ((await disposableAmong(sweep, [instanceId])).length === 0) return;
  const folder = instanceFolder(sweep.dataDirectory, instanceId).root;
  await endProcesses({ leader: null, folder }, { graceMs: 0, world: sweep.app.world });
  await rm(folder, { recursive: true, force: true });
}

function disposableAmong({ app, retentionMs }: FolderSweep, ids: readonly string[]): Promise<string[]> {
  return listDisposableInstances(app, { ids, endedBefore: new Date(app.world.now().getTime() - retentionMs) });
}
