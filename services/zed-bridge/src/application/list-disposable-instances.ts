import type { App } from "./app.ts";

/** Which instances are asked about, and since when nothing of them may have been needed. */
export interface ListDisposableInstances {
  readonly ids: readonly string[];
  /** Their last thread has ended before. Those of tasks that were deleted are disposable at once. */
  readonly endedBefore: Date;
}

/** The instances among these whose folders nobody needs any more. */
export function listDisposableInstances(app: App, { ids, endedBefore }: ListDisposableInstances): Promise<string[]> {
  return app.database.transact(({ instances }) => instances.disposable(ids, endedBefore));
}
