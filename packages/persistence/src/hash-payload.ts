import { createHash } from "node:crypto";

/**
 * A hash of a request's payload (JSON) that is the same whatever order the keys of its objects are in: a map has no order
 * on the wire, so a caller that repeats a request may send it in another.
 */
export function hashPayload(payload: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(payload)))
    .digest("base64url");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries: readonly [string, unknown][] = Object.entries(value);
  // As pairs: an object would put keys that look like numbers first, and treat `__proto__` apart.
  return { pairs: entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]) };
}
