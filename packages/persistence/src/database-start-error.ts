/** The database cannot be used; the message is one plain line that says so and how to mend it. */
export class DatabaseStartError extends Error {
  override readonly name = "DatabaseStartError";
}

/** What to say about a database that does not work. */
export function unusable(url: string, error: unknown): DatabaseStartError {
  const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  const message = `The database ${placeOf(url)} cannot be used: ${why === "" ? "no answer" : why}. Check DATABASE_URL.`;
  return new DatabaseStartError(message, { cause: error });
}

/** Host, port and name, without credentials. */
function placeOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "of DATABASE_URL" : `${parsed.host}${parsed.pathname}`;
}
