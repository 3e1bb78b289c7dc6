import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, each a minute or so. */
const LONG = /\/tests\/(chaos|security|zed-link)\/|\/races\.test\.ts$/;

/**
 * Begins with the files that take longest, so that none of them is left for the end, when there is nothing more to run
 * beside it. vitest knows this by itself from the run before; on a fresh checkout it can only guess, by size.
 */
export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- no array's: it is vitest's own order
    const sorted = await super.sort(files);
    const { long = [], short = [] } = Object.groupBy(sorted, ({ moduleId }) =>
      LONG.test(moduleId) ? "long" : "short",
    );
    return [...long, ...short];
  }
}
