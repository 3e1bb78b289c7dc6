// The processes of an instance
//
// What the bridge starts is the leader of a process group, but agents put themselves into groups of their own, and an
// editor that dies by SIGKILL cannot take them along. They share one thing: a home in the instance's private folder. So
// the processes of an instance are its group and, where the system lets us look (Linux), the group of every process with
// such a home. Before an instance is started again, or forgotten, all of them have ended.
import { readdir, readFile } from "node:fs/promises";
import type { World } from "@helix-zed/domain";

/** Which processes are meant. */
export interface InstanceProcesses {
  /** Pid of the leader, also the id of its group; `null` if it ended long ago and the number may be somebody else's. */
  readonly leader: number | null;
  /** The private folder that their homes are in. */
  readonly folder: string;
}

/** How long to wait between SIGTERM and SIGKILL. */
export interface EndOptions {
  readonly graceMs: number;
  readonly world: Pick<World, "sleep">;
}

const POLL_FIRST_MS = 10;
const POLL_MAX_MS = 100;
const KILL_WAIT_MS = 2_000;

/** Ends all of them: SIGTERM, and SIGKILL for those that are left after the grace. Resolves with whether all are gone. */
export async function endProcesses(processes: InstanceProcesses, { graceMs, world }: EndOptions): Promise<boolean> {
  if (await signalUntilGone(processes, "SIGTERM", graceMs, world)) return true;
  return signalUntilGone(processes, "SIGKILL", KILL_WAIT_MS, world);
}

/** Signals each group once, those that come up meanwhile too. Resolves with whether all were gone within the time. */
async function signalUntilGone(
  processes: InstanceProcesses,
  signal: NodeJS.Signals,
  timeoutMs: number,
  world: Pick<World, "sleep">,
): Promise<boolean> {
  const signalled = new Set<number>();
  for (let waitedMs = 0, pollMs = POLL_FIRST_MS; ; waitedMs += pollMs, pollMs = Math.min(pollMs * 2, POLL_MAX_MS)) {
    const groups = await livingGroups(processes);
    if (groups.size === 0) return true;
    if (waitedMs > timeoutMs) return false;
    for (const group of groups) {
      if (!signalled.has(group)) signalGroup(group, signal);
      signalled.add(group);
    }
    await world.sleep(pollMs);
  }
}

async function livingGroups({ leader, folder }: InstanceProcesses): Promise<Set<number>> {
  if (process.platform !== "linux") return new Set(leader !== null && signalGroup(leader, 0) ? [leader] : []);
  const living = await scanProc();
  const ours = await Promise.all(
    living.map(async ({ pid, group }) => group === leader || (await hasHomeIn(pid, folder))),
  );
  const groups = new Set(living.filter((_, index) => ours[index] === true).map(({ group }) => group));
  // Whoever runs in our own group shares the fate of the bridge already.
  groups.delete(living.find(({ pid }) => pid === process.pid)?.group ?? 0);
  return groups;
}

interface LivingProcess {
  readonly pid: number;
  readonly group: number;
}

async function scanProc(): Promise<LivingProcess[]> {
  const entries = await readdir("/proc");
  const found = await Promise.all(entries.filter((entry) => /^\d+$/.test(entry)).map(readProcess));
  return found.filter((process) => process !== null);
}

async function readProcess(entry: string): Promise<LivingProcess | null> {
  const stat = await readFile(`/proc/${entry}/stat`, "latin1").catch(() => null);
  if (stat === null) return null;
  // The program's name stands in parentheses and may hold anything: fields are counted from its end.
  const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // One that only waits to be reaped is dead, though it still takes signals.
  return state === "Z" || state === "X" ? null : { pid: Number(entry), group: Number(group) };
}

async function hasHomeIn(pid: number, folder: string): Promise<boolean> {
  // Unreadable for processes that are gone or belong to somebody else: not ours then.
  const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  return environment.split("\0").some((variable) => variable.startsWith(`HOME=${folder}/`));
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    // Gone, or somebody else's by now.
    return false;
  }
}
