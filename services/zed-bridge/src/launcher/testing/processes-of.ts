import { readdirSync, readFileSync } from "node:fs";

/** Pids of living processes with a home in the folder. */
export function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => read(`/proc/${pid}/environ`).includes(`HOME=${folder}/`) && !isDead(pid));
}

function isDead(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  return ["", "Z", "X"].includes(stat.slice(stat.lastIndexOf(")") + 2)[0] ?? "");
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
