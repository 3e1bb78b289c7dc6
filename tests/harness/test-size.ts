/** A number of a test in its two sizes. */
export interface Sizes {
  /** For every run: as much as is promised. */
  readonly normal: number;
  /** Several times that, with `HELIX_ZED_TEST_SIZE=full`. */
  readonly full: number;
}

/** The size of this run. */
export const isFullSize: boolean = process.env["HELIX_ZED_TEST_SIZE"] === "full";

/** How often, how long or how much, in the size of this run. */
export function sized({ normal, full }: Sizes): number {
  return isFullSize ? full : normal;
}
