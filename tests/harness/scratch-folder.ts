import { isProcessAlive } from "@helix-zed/embedded-postgres";
import { mkdtempSync, chmodSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const PREFIX = "helix-zed-test-";
const MEMORY = "/dev/shm";
const ENOUGH_BYTES = 2 ** 30;

/**
 * A folder for one run of the tests, in memory where there is enough: cloning a database costs 15 to 40 ms there and
 * up to 300 ms on a disk. Folders of runs that were killed are swept first. Other accounts may enter it, because the
 * database server may run as one.
 */
export function makeScratchFolder(): string {
  const parent = hasMemory() ? MEMORY : tmpdir();
  sweep(parent);
  const folder = mkdtempSync(path.join(parent, `${PREFIX}${process.pid}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** A container's usual 64 MB are too little: one clone is 8 MB. */
function hasMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}

function sweep(parent: string): void {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(PREFIX))) {
    const owner = Number.parseInt(name.slice(PREFIX.length), 10);
    if (!isProcessAlive(owner)) rmSync(path.join(parent, name), { recursive: true, force: true });
  }
}
