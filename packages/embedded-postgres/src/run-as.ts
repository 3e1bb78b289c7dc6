import { spawnSync } from "node:child_process";
import type { ServerAccount } from "./server-account.ts";

/** What every PostgreSQL process gets to see of our environment: nothing. */
export const SERVER_ENVIRONMENT = { PATH: "/usr/bin:/bin", LC_ALL: "C" };

/** Runs a program to its end as the account, or as ourselves; answers why it failed, undefined when it did not. */
export function failureOf(program: string, args: readonly string[], account?: ServerAccount): string | undefined {
  const run = spawnSync(program, args, {
    ...credentials(account),
    cwd: "/",
    env: SERVER_ENVIRONMENT,
    encoding: "utf8",
  });
  if (run.error !== undefined) return run.error.message;
  if (run.status === 0) return undefined;
  return run.stderr.trim().split("\n").slice(0, 2).join(" ") || `it ended with ${run.signal ?? run.status}`;
}

/** The options of spawn that make a process run as the account. */
export function credentials(account?: ServerAccount): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}
