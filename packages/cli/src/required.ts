/** What an answer always holds, which its type cannot say. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The service answered without what was asked for.");
  return value;
}
