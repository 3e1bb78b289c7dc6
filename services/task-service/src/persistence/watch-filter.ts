import type { Condition } from "../domain/filter/filter-condition.ts";
import type { TaskStatus } from "../domain/task-lifecycle.ts";
import type { WorkSessionStatus } from "../domain/work-session-lifecycle.ts";

/** What is watched. An empty list does not restrict; of a kind that is `null`, nothing is watched. */
export interface WatchFilter {
  /** Whose; `null` for everybody's. */
  readonly tenant: string | null;
  /** The named tasks and their work sessions. When all of the named tasks have ended, so does the watch. */
  readonly taskIds: readonly string[];
  readonly tasks: { readonly statuses: readonly TaskStatus[]; readonly where?: Condition } | null;
  readonly workSessions: {
    readonly agentTypes: readonly string[];
    readonly statuses: readonly WorkSessionStatus[];
    readonly where?: Condition;
  } | null;
}
