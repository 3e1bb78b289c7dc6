// Process identity
//
// A pid names a process only while it runs: after that the number is given to another. A pid together with the moment the
// process started names it for good, up to the next boot. On Linux that moment stands in /proc, counted from the boot,
// so the boot's own id goes with it; elsewhere `ps` tells it to the second.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** A process that cannot be mistaken for another. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal for the same process only. */
  readonly startedAt: string;
}

const execute = promisify(execFile);

/** The identity of the living process with this pid, or `null` if there is none. One that only waits to be reaped is dead. */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const startedAt = process.platform === "linux" ? await startInProc(pid) : await startFromPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

/** Whether exactly this process lives. */
export async function isAlive({ pid, startedAt }: ProcessIdentity): Promise<boolean> {
  return (await identify(pid))?.startedAt === startedAt;
}

async function startInProc(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => null);
  if (stat === null) return null;
  // The second field is the program's name in parentheses and may hold anything; fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  if (state === "Z" || state === "X") return null;
  return `${await bootId()}/${fields[19]}`;
}

async function startFromPs(pid: number): Promise<string | null> {
  const options = { env: { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" } };
  const found = await execute("ps", ["-o", "stat=,lstart=", "-p", String(pid)], options).catch(() => null);
  const [state = "", ...start] = found?.stdout.trim().split(/\s+/) ?? [];
  return state === "" || state.startsWith("Z") ? null : start.join(" ");
}

let knownBootId: Promise<string> | null = null;

function bootId(): Promise<string> {
  knownBootId ??= readFile("/proc/sys/kernel/random/boot_id", "latin1").then((text) => text.trim());
  return knownBootId;
}
