import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 200;
const PATIENCE_MS = 15 * 60_000;

/** Thrown by work that was cut off in the middle, and of which nobody knows what it leaves behind. */
export class Interrupted extends Error {}

/**
 * Runs `work` while nobody else does; others wait. `work` is called with whether it was cut off the last time, and
 * with a function that names another process for which others have to wait too. Work that is killed or throws
 * Interrupted leaves its lock behind: that is how the next one knows.
 */
export async function withInstallLock(file, work) {
  const wasUnfinished = await acquire(file);
  try {
    await work(wasUnfinished, (pid) => appendFileSync(file, `${pid}\n`));
  } catch (error) {
    if (!(error instanceof Interrupted)) rmSync(file, { force: true });
    throw error;
  }
  rmSync(file, { force: true });
}

async function acquire(file) {
  mkdirSync(path.dirname(file), { recursive: true });
  let wasUnfinished = false;
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += POLL_MS) {
    if (create(file)) return wasUnfinished;
    const owner = ownersOf(file).find(isAlive);
    if (owner !== undefined) {
      if (waitedMs === 0) process.stderr.write(`Waiting for another install (process ${owner}) to end …\n`);
      await delay(POLL_MS);
    } else {
      wasUnfinished = true;
      rmSync(file, { force: true });
    }
  }
  throw new Error(`Another install has been running for too long; remove ${file} if there is none.`);
}

function create(file) {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function ownersOf(file) {
  return readText(file)
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 0);
}

/** A zombie has ended, even where nobody takes notice, as in a container without init. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== "EPERM") return false;
  }
  return !/^\d+ \(.*\) Z/s.test(readText(`/proc/${pid}/stat`));
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
