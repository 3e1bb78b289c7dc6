import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { isServerAlive } from "./postmaster-file.ts";
import { credentials } from "./run-as.ts";
import type { ServerAccount } from "./server-account.ts";

const POLL_MS = 10;
const WATCH_MS = 250;

/** What the postmaster understands, from the politest: disconnect everybody; drop everything; die. */
const STEPS = [
  { signal: "SIGINT", patienceMs: 10_000 },
  { signal: "SIGQUIT", patienceMs: 5_000 },
  { signal: "SIGKILL", patienceMs: 5_000 },
] as const;

/** Stops a server and answers when its process is gone. `immediate` skips the checkpoint. */
export async function stopServer(pid: number, immediate: boolean): Promise<void> {
  for (const { signal, patienceMs } of immediate ? STEPS.slice(1) : STEPS) {
    signalServer(pid, signal);
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += POLL_MS) {
      if (!isServerAlive(pid)) return;
      await delay(POLL_MS);
    }
  }
}

/**
 * Stops the server when this process is gone, however it went: a shell waits for the end of a pipe that only we hold,
 * and then asks the server to stop. Kill the returned process once the server has stopped.
 */
export function stopServerAfterUs(pid: number, account?: ServerAccount): ChildProcess {
  const watchdog = spawn("/bin/sh", ["-c", 'read -r _; kill -INT "$0"', String(pid)], {
    ...credentials(account),
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watchdog.on("error", () => undefined);
  watchdog.unref();
  return watchdog;
}

/** An adopted server is not our child, so its end is not announced; the timer keeps no process alive. */
export async function untilGone(pid: number): Promise<void> {
  while (isServerAlive(pid)) await delay(WATCH_MS, undefined, { ref: false });
}

function signalServer(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}
