/** A property that is there only if it has a value; to be spread. */
export function optional<Name extends string, Value>(
  name: Name,
  value: Value | null | undefined,
): Partial<Record<Name, Value>> {
  if (value === null || value === undefined) return {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object of one computed name loses its type
  return { [name]: value } as Record<Name, Value>;
}
