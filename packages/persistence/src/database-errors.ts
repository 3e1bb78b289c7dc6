const CONFLICTS: ReadonlySet<string> = new Set(["40001", "40P01"]);

const UNREACHABLE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  // too many connections; the server shuts down, has crashed, is starting
  "53300",
  "57P01",
  "57P02",
  "57P03",
]);

// The driver gives these no code.
const LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** The SQLSTATE or system error code of whatever a query threw, also from below the ORM's own errors. */
export function databaseErrorCode(error: unknown): string | undefined {
  return textOf(error, "code");
}

/** The name of the constraint that a statement violated, if that is what went wrong. */
export function violatedConstraint(error: unknown): string | undefined {
  return textOf(error, "constraint");
}

/** Whether PostgreSQL gave up a transaction in favour of another: doing all of it again may succeed. */
export function isConflict(error: unknown): boolean {
  const code = databaseErrorCode(error);
  return code !== undefined && CONFLICTS.has(code);
}

/** Whether a prepared statement outlived a change of its tables: preparing it anew will succeed. */
export function isStalePlan(error: unknown): boolean {
  return (
    databaseErrorCode(error) === "0A000" && error instanceof Error && /cached plan must not change/.test(error.message)
  );
}

/** Whether a statement was cancelled because it took longer than it may. */
export function isTooSlow(error: unknown): boolean {
  return databaseErrorCode(error) === "57014";
}

/** Whether the database could not be reached, or went away in the middle. */
export function isUnavailable(error: unknown): boolean {
  const code = databaseErrorCode(error);
  if (code !== undefined && (UNREACHABLE.has(code) || code.startsWith("08"))) return true;
  return error instanceof Error && LOST.test(error.message);
}

function textOf(error: unknown, property: "code" | "constraint"): string | undefined {
  if (typeof error !== "object" || error === null || !(property in error)) return undefined;
  const value: unknown = Reflect.get(error, property);
  return typeof value === "string" ? value : undefined;
}
