import { Refusal } from "@helix-zed/domain";
import type { ServerReason } from "./server-reasons.ts";

/** Why a token does not open the door. Never quotes it, and never says what a library says. */
export type TokenReason = Extract<ServerReason, `TOKEN_${string}`>;

/** A refusal because of the caller's token. */
export function tokenRefusal(reason: TokenReason, message: string): Refusal<ServerReason> {
  return new Refusal<ServerReason>(reason, message);
}
