const PAGE_SIZE = 50;
const PAGE_SIZE_MAX = 1_000;

/** How many things a page holds: what was asked for, 50 if nothing was, never more than 1,000. */
export function pageSizeOf(asked: number): number {
  return asked === 0 ? PAGE_SIZE : Math.min(asked, PAGE_SIZE_MAX);
}
