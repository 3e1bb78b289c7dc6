import type { SyncCommand } from "./command.ts";
import type { SyncEvent } from "./event.ts";

/** Writes an event as an editor does: every key is there, empty ones as `""` or `null`. */
export function encodeEvent({ event_type, data }: SyncEvent): string {
  return JSON.stringify({ event_type, data });
}

/** Writes a command as a server does: what is `null` is left out. */
export function encodeCommand({ type, data }: SyncCommand): string {
  return JSON.stringify({ type, data }, (_key, value: unknown) => (value === null ? undefined : value));
}
