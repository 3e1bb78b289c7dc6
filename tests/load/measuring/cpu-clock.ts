import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Time of CPU used so far, user and system, in µs; 0 where the system does not tell. */
export type CpuClock = () => number;

interface ProcessFacts {
  readonly parent: number;
  readonly ticks: number;
  /** Of its children that have ended. */
  readonly ticksOfEnded: number;
}

const MICROSECONDS = 1_000_000;

/** The clock of another process. Linux counts in ticks of some milliseconds. */
export function clockOfProcess(pid: number): CpuClock {
  return clock(() => readFacts(pid).ticks);
}

/** The clock of a process and its children together. */
export function clockOfFamily(pid: number): CpuClock {
  return clock(() => {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const members = pids.map((name) => readFacts(Number(name))).filter(({ parent }) => parent === pid);
    const head = readFacts(pid);
    return members.reduce((sum, { ticks }) => sum + ticks, head.ticks + head.ticksOfEnded);
  });
}

function clock(readTicks: () => number): CpuClock {
  if (process.platform !== "linux") return () => 0;
  const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"]));
  return () => (readTicks() / ticksPerSecond) * MICROSECONDS;
}

function readFacts(pid: number): ProcessFacts {
  // The second field is the program's name in brackets, and may itself hold blanks.
  const fields = textOf(pid).split(") ").at(-1)?.split(" ") ?? [];
  const ticks = (user: number, system: number): number => Number(fields[user] ?? 0) + Number(fields[system] ?? 0);
  return { parent: Number(fields[1]), ticks: ticks(11, 12), ticksOfEnded: ticks(13, 14) };
}

function textOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // It has ended in this moment.
    return "";
  }
}
