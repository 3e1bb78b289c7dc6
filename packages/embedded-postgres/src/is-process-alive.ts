import { readFileSync } from "node:fs";

/**
 * True while a process with this id runs, whoever owns it. A zombie has ended: only its parent has not taken notice,
 * and where a container has no init nobody ever will.
 */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another account's process may not be signalled, but it is there.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  return processState(pid) !== "Z";
}

/** The name of the program that a process runs; undefined when that cannot be seen, as on macOS. */
export function programOf(pid: number): string | undefined {
  return /^\d+ \((.*)\) \S/s.exec(processStatus(pid))?.[1];
}

/**
 * What tells a running process from a later one with the same id: when it was started. Empty where that cannot be
 * seen, as on macOS; undefined when no such process runs.
 */
export function processIdentity(pid: number): string | undefined {
  if (!isProcessAlive(pid)) return undefined;
  // Fields are counted from behind the program's name, which may hold spaces; the start time is the 22nd of all.
  return (
    processStatus(pid)
      .replace(/^.*\) /s, "")
      .split(" ")[19] ?? ""
  );
}

function processState(pid: number): string | undefined {
  return /^\d+ \(.*\) (\S)/s.exec(processStatus(pid))?.[1];
}

/** "123 (postgres) S 1 …", or nothing. */
function processStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}
