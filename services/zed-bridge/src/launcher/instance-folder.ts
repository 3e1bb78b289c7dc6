import { chmod, mkdir } from "node:fs/promises";
import path from "node:path";

/** The private folders of an instance. They are kept across restarts: agents keep their conversations in them. */
export interface InstanceFolder {
  /** Holds all the others. */
  readonly root: string;
  readonly home: string;
  readonly temporary: string;
  readonly data: string;
  /** What its present process writes to stdout and stderr; beside it, with `.1`, what the one before wrote. */
  readonly logFile: string;
}

/** Where the folders of all instances are. */
export function instancesFolder(dataDirectory: string): string {
  return path.join(dataDirectory, "instances");
}

/** Where the folders of an instance are. */
export function instanceFolder(dataDirectory: string, instanceId: string): InstanceFolder {
  // Ids are ours, but this becomes a path: an id that could climb out of the folder is a bug to stop at.
  if (!/^zed_[0-9a-z]+$/.test(instanceId)) throw new Error(`not an instance id: ${instanceId}`);
  const root = path.join(instancesFolder(dataDirectory), instanceId);
  return {
    root,
    home: path.join(root, "home"),
    temporary: path.join(root, "tmp"),
    data: path.join(root, "data"),
    logFile: path.join(root, "output.log"),
  };
}

/** Makes the folders, for nobody but this account. */
export async function makeInstanceFolder(folder: InstanceFolder): Promise<void> {
  for (const directory of [folder.root, folder.home, folder.temporary, folder.data]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
  }
}
