import { spawn } from "node:child_process";
import { Refusal } from "@helix-zed/domain";
import type { Reason } from "../domain/reason.ts";

/** A command that makes a folder fit to work in. */
export interface SetupCommand {
  /** The program and its arguments; never a shell. */
  readonly command: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** How long it may take. */
  readonly timeoutMs: number;
}

const REPORTED_CHARACTERS = 4_000;

/** Runs it to its end. Refuses with WORKSPACE_SETUP_FAILED and the last that it printed; leaves no process behind. */
export async function runSetup({ command, folder, environment, timeoutMs }: SetupCommand): Promise<void> {
  const [program, ...args] = command;
  if (program === undefined) return;
  // A group of its own, so that what it started ends with it.
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...environment },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const keep = (chunk: string): void => void (printed = (printed + chunk).slice(-REPORTED_CHARACTERS));
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", keep);
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const timer = setTimeout(() => resolve(`did not end within ${timeoutMs / 1_000} seconds`), timeoutMs);
  child.once("error", (error) => resolve(`cannot be started: ${error.message}`));
  child.once("exit", (code, signal) => resolve(code === 0 ? null : `ended with ${signal ?? code}`));
  const problem = await promise;
  clearTimeout(timer);
  endGroup(child.pid);
  if (problem !== null) throw failed(program, problem, printed);
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

function failed(program: string, problem: string, printed: string): Refusal<Reason> {
  const message = `The setup command ${program} ${problem}.\n${printed.trim()}`.trim();
  return new Refusal<Reason>("WORKSPACE_SETUP_FAILED", message, { program });
}
