// The output log of an instance
//
// Processes write to the file themselves, not through a pipe of ours: a pipe would break when the bridge is killed, and
// would block them when the bridge is slow. So nobody stands between a flood and the disk but us looking now and then:
// a file that has grown over its limit is emptied but for its end. Writers append, so they go on at the new end; what
// they write in the moment between reading the end and emptying the file is lost, which a log may.
import { type FileHandle, open, rename } from "node:fs/promises";

/** The most that an output log keeps, in bytes; between two looks it may be more. */
export const logBytesMax = 1024 * 1024;

const KEPT_BYTES = 64 * 1024;
const LINES_MAX = 100;
const SECRET_BYTES_MAX = 4096;

/** Puts the output of an earlier launch aside, in place of that of the one before: each launch has a log of its own. */
export async function beginLog(file: string): Promise<void> {
  await rename(file, `${file}.1`).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  });
}

/** Empties the file but for its end if it is over the limit, and says whether it was. One that does not exist is left so. */
export async function trimLog(file: string): Promise<boolean> {
  await using log = await open(file, "r+").catch(() => null);
  if (log === null || (await log.stat()).size <= logBytesMax) return false;
  const end = await readEnd(log);
  await log.truncate(0);
  await using appender = await open(file, "a");
  await appender.write(end);
  return true;
}

/** The last lines, oldest first: at most 100 and 64 KiB, without control characters. Secrets are still in them. */
export async function lastLogLines(file: string): Promise<string[]> {
  await using log = await open(file, "r").catch(() => null);
  if (log === null) return [];
  const text = (await readEnd(log)).toString("utf8");
  const lines = text.split(/\r?\n/).map(printable);
  return lines.filter((line) => line !== "").slice(-LINES_MAX);
}

async function readEnd(log: FileHandle): Promise<Buffer> {
  const { size } = await log.stat();
  const start = Math.max(0, size - KEPT_BYTES);
  const { buffer, bytesRead } = await log.read(Buffer.alloc(KEPT_BYTES), 0, KEPT_BYTES, start);
  const end = buffer.subarray(0, bytesRead);
  if (start === 0) return end;
  // A line that is cut at its beginning might be cut inside a secret, which then would not be recognised.
  const newline = end.indexOf("\n");
  return end.subarray(newline === -1 ? SECRET_BYTES_MAX : newline + 1);
}

function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex -- removing them is the point
  return line.replaceAll(/\u001b\[[0-9;]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g, "");
}
