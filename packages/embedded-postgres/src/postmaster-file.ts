import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { isProcessAlive, programOf } from "./is-process-alive.ts";

/** What a running server writes about itself into its data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly status: "starting" | "ready" | "stopping" | "standby" | "unknown";
}

const STATUSES = ["starting", "ready", "stopping", "standby"] as const;

/** Reads postmaster.pid; undefined when there is none, or a half-written one. */
export function readPostmaster(dataFolder: string): Postmaster | undefined {
  const lines = readLines(postmasterFile(dataFolder));
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!(pid > 1 && port > 0)) return undefined;
  return { pid, port, status: STATUSES.find((status) => lines[7]?.trim() === status) ?? "unknown" };
}

/** True while the postmaster's process runs and, where that can be seen, is a PostgreSQL. */
export function isServerAlive(pid: number): boolean {
  return isProcessAlive(pid) && (programOf(pid) ?? "postgres") === "postgres";
}

/**
 * Removes the file of a server that is no more. PostgreSQL does that itself, unless its old process id meanwhile
 * belongs to another process of the same account, as it often does in a container.
 */
export function removeStalePostmasterFile(dataFolder: string): void {
  const postmaster = readPostmaster(dataFolder);
  if (postmaster !== undefined && !isServerAlive(postmaster.pid)) rmSync(postmasterFile(dataFolder), { force: true });
}

function postmasterFile(dataFolder: string): string {
  return path.join(dataFolder, "postmaster.pid");
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n");
  } catch {
    return [];
  }
}
