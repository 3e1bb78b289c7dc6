// Tables of a page in Markdown, as the code says that they must be.

/** A table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** A lifecycle: a row for each status, a column for each action. */
export function lifecycleTable<State extends string, Action extends string>(
  lifecycle: Readonly<Record<State, Readonly<Record<Action, State | null>>>>,
): string {
  const rows = Object.entries<Readonly<Record<Action, State | null>>>(lifecycle);
  const actions = Object.keys(rows[0]?.[1] ?? {});
  return table(
    ["from", ...actions],
    rows.map(([state, row]) => [state, ...Object.values<State | null>(row).map((next) => next ?? "")]),
  );
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
