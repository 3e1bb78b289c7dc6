import { headerOf, type NodeRequest } from "./node-http.ts";
import { invalidField } from "./rest-error.ts";

const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * The deadline that a caller asks for, in milliseconds: `connect-timeout-ms: 500`, `x-server-timeout: 0.5` (seconds) or
 * `grpc-timeout: 500m`. undefined: none. Throws on a value that is none of these.
 */
export function readTimeoutMs(request: NodeRequest): number | undefined {
  return (
    parse(request, "connect-timeout-ms", /^(\d{1,10})$/, 1) ??
    parse(request, "x-server-timeout", /^(\d{1,8}(?:\.\d{1,9})?)$/, 1_000) ??
    parse(request, "grpc-timeout", /^(\d{1,8})([HMSmun])$/, 1)
  );
}

function parse(request: NodeRequest, name: string, pattern: RegExp, unitMs: number): number | undefined {
  const text = headerOf(request, name);
  if (text === undefined) return undefined;
  const [, digits, unit] = pattern.exec(text) ?? [];
  if (digits === undefined) throw invalidField(name, "is not a valid timeout");
  return Math.max(1, Math.ceil(Number(digits) * (unit === undefined ? unitMs : (units[unit] ?? 1))));
}
