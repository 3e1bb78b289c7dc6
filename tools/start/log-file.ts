import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";

const SIZE_MAX_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 64 * 1024;

/** What one process writes, at the end of a file that others wrote to before it. */
export interface LogFile {
  readonly path: string;
  /** For the process's stdio; to be closed once the process has it. */
  readonly descriptor: number;
  /** How long the file was when the process started. */
  readonly startBytes: number;
}

/** Opens a log for a new process. A long one is put aside first, in place of the one put aside before. */
export function openLogFile(path: string): LogFile {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > SIZE_MAX_BYTES) renameSync(path, `${path}.1`);
  const descriptor = openSync(path, "a", 0o600);
  return { path, descriptor, startBytes: fstatSync(descriptor).size };
}

/** The last lines that were written after `startBytes`, oldest first. */
export function lastLines({ path, startBytes }: Omit<LogFile, "descriptor">, countMax: number): string[] {
  const descriptor = openSync(path, "r");
  try {
    const { size } = fstatSync(descriptor);
    const from = Math.max(startBytes, size - TAIL_BYTES);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    const length = readSync(descriptor, buffer, 0, buffer.length, from);
    const lines = buffer.toString("utf8", 0, length).split("\n");
    return lines.filter((line) => line.trim() !== "").slice(-countMax);
  } finally {
    closeSync(descriptor);
  }
}

/** The one line that tells best why a process ended: the last that it wrote in plain words, else its last message. */
export function lastWords(log: Omit<LogFile, "descriptor">): string {
  const lines = lastLines(log, 100);
  const plain = lines.filter((line) => !/^[{\s]/.test(line));
  // Node ends the trace of an uncaught error with its own version.
  const isTrace = plain.at(-1)?.startsWith("Node.js v") === true;
  const told = isTrace ? plain.findLast((line) => /^\w*Error\b/.test(line)) : plain.at(-1);
  return told ?? messageOf(lines.at(-1) ?? "") ?? "it wrote nothing to its log";
}

function messageOf(line: string): string | undefined {
  return /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
}
