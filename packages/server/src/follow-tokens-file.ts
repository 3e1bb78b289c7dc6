// A tokens file in force
//
// The file is looked at several times a second, so that a token can be revoked without a restart. Looking is a stat; what
// counts as a change is its inode, its size or one of its times. A change that cannot be used leaves everything as it was
// and is logged, once: a file that is half written, or gone for a moment, lets nobody in and locks nobody out.

import { stat } from "node:fs/promises";
import type { World } from "@helix-zed/domain";
import type { Log } from "./log.ts";
import type { TokenList } from "./token-list.ts";
import { readTokensFile } from "./tokens-file.ts";

/** Which file, and who is told of its changes. */
export interface FollowTokensFile {
  readonly path: string;
  readonly tokens: TokenList;
  readonly log: Log;
  readonly world: Pick<World, "sleep">;
  readonly signal: AbortSignal;
}

const LOOK_INTERVAL_MS = 200;

/** Keeps the list as the file has it, until the signal aborts. */
export async function followTokensFile(options: FollowTokensFile): Promise<void> {
  const { path, world, signal } = options;
  // It may have changed since it was read at the start: the first look reads it again.
  let seen = "";
  while (!signal.aborted) {
    const found = await identityOf(path);
    if (found !== seen) take(options);
    seen = found;
    await world.sleep(LOOK_INTERVAL_MS, signal).catch(() => {});
  }
}

function take({ path, tokens, log }: FollowTokensFile): void {
  try {
    const revoked = tokens.replace(readTokensFile(path));
    if (revoked > 0) log.warn({ revoked }, "tokens were revoked");
  } catch (error) {
    log.error({ err: error }, "the tokens file cannot be used: the tokens known so far stay in force");
  }
}

/** Changes whenever the file does. */
async function identityOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(" ");
  } catch (error) {
    return String(error);
  }
}
