import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { World } from "@helix-zed/domain";
import type { LaunchPlan } from "./launch-recipe.ts";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";

/** A process that the bridge looks after, started by this bridge or by one before it. */
export interface HostProcess {
  readonly identity: ProcessIdentity;
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>;
}

/** A process that waits at the gate. It does nothing until it is let through, and ends if the bridge does before. */
export interface GatedProcess extends HostProcess {
  letThrough(): void;
  /** Ends it instead. */
  turnAway(): Promise<void>;
}

const gateFile = fileURLToPath(new URL("gate.ts", import.meta.url));
const ADOPTED_POLL_MS = 500;

/** Starts a program in a process group of its own, up to its gate. Its output is appended to the file. */
export async function startGated(plan: LaunchPlan, logFile: string): Promise<GatedProcess> {
  await using log = await open(logFile, "a", 0o600);
  const args = ["--disable-warning=ExperimentalWarning", gateFile, plan.program, ...plan.args];
  const child = spawn(process.execPath, args, {
    cwd: plan.workingDirectory,
    env: { ...plan.environment },
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "pipe"],
  });
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`));
  });
  await once(child, "spawn");
  const identity = child.pid === undefined ? null : await identify(child.pid);
  const gate = child.stdio[3];
  if (identity === null || !(gate instanceof Writable)) throw new Error(`ended before it began: ${await ended}`);
  // It may have ended before it is told anything.
  gate.on("error", () => {});
  return {
    identity,
    ended,
    letThrough: () => void gate.end("\n"),
    turnAway: async () => {
      gate.destroy();
      await ended;
    },
  };
}

/** Looks after a process that an earlier bridge started: not our child, so nobody tells us when it ends. */
export function adopt(identity: ProcessIdentity, world: Pick<World, "sleep">): HostProcess {
  return { identity, ended: pollUntilGone(identity, world) };
}

async function pollUntilGone(identity: ProcessIdentity, world: Pick<World, "sleep">): Promise<string> {
  while (await isAlive(identity)) await world.sleep(ADOPTED_POLL_MS);
  return "ended after the bridge had been restarted, so nobody saw how";
}
