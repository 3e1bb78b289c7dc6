import { createHash } from "node:crypto";

/**
 * A UUID that is the same for the same parts, so that a call which an agent repeats is known again. The ids of JSON-RPC
 * cannot do that: an agent that reconnects counts them from the beginning.
 */
export function requestKey(...parts: readonly unknown[]): string {
  const hex = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  // Version 8: a UUID whose bits are its maker's own.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
