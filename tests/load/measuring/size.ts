import { sized } from "@helix-zed/harness/test-size.ts";
import type { RoundOptions } from "./rounds.ts";

/** How often and how long to measure: seconds altogether, or minutes with `HELIX_ZED_TEST_SIZE=full`. */
export const usualRounds: Omit<RoundOptions, "databaseCpuUs"> = {
  rounds: sized({ normal: 3, full: 7 }),
  seconds: sized({ normal: 1, full: 4 }),
  workers: 16,
  warmUpSeconds: 2,
};
