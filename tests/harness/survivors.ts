import { readdirSync, readFileSync } from "node:fs";
import { isProcessAlive } from "@helix-zed/embedded-postgres";

/** A process that still runs. */
export interface Survivor {
  readonly pid: number;
  readonly command: string;
}

/**
 * The processes that have to do with a folder: it occurs in their arguments or their environment. Agents and editors
 * have process groups of their own and a HOME in the folder, so this finds them when their parents are gone. Linux
 * only; elsewhere nothing is found.
 */
export function survivorsOf(folder: string): Survivor[] {
  return processIds()
    .filter((pid) => pid !== process.pid && isProcessAlive(pid))
    .map((pid) => ({ pid, command: readEntry(pid, "cmdline") }))
    .filter(({ pid, command }) => `${command}\0${readEntry(pid, "environ")}`.includes(folder))
    .map(({ pid, command }) => ({ pid, command: command.replaceAll("\0", " ").trim() }));
}

function processIds(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Empty for a process that has ended meanwhile or is another account's. */
function readEntry(pid: number, entry: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${entry}`, "utf8");
  } catch {
    return "";
  }
}
