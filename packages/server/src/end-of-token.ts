import type { World } from "@helix-zed/domain";
import type { Authentication } from "./authenticate.ts";
import { tokenRefusal } from "./token-refusal.ts";

/** What tells that the token of a call is no longer good; the signals' reasons are refusals. To be disposed. */
export interface EndOfToken {
  readonly signals: readonly AbortSignal[];
  readonly dispose: () => void;
}

/** The longest time that a timer can be set to. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Aborts when the token expires or is revoked. */
export function endOfToken(authentication: Authentication | null, world: Pick<World, "now">): EndOfToken {
  const { expiresAt, revoked } = authentication ?? {};
  const signals = revoked === undefined ? [] : [revoked];
  if (expiresAt === undefined) return { signals, dispose: () => {} };
  const expiry = new AbortController();
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const leftMs = expiresAt.getTime() - world.now().getTime();
    if (leftMs <= 0) expiry.abort(tokenRefusal("TOKEN_EXPIRED", "The token has expired."));
    else timer = setTimeout(wait, Math.min(leftMs, TIMER_MS_MAX));
  };
  wait();
  return { signals: [...signals, expiry.signal], dispose: () => clearTimeout(timer) };
}
