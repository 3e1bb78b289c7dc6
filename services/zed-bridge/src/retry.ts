import { Refusal, type World } from "@helix-zed/domain";

/** How to try again. */
export interface RetryOptions {
  readonly world: Pick<World, "sleep">;
  /** Asked after each failure: whether to try once more. Without it: for as long as the failure is a passing one. */
  readonly again?: (error: unknown) => boolean;
}

const PAUSE_FIRST_MS = 50;
const PAUSE_MAX_MS = 2_000;

/** Does something until it succeeds, with growing pauses; throws the last error once it is not to be tried again. */
export async function retry<T>(work: () => Promise<T>, { world, again = isPassing }: RetryOptions): Promise<T> {
  for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!again(error)) throw error;
      await world.sleep(pauseMs);
    }
  }
}

/** Whether the same may succeed in a moment: the database is out of reach, or others were in the way. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof Refusal && (error.reason === "DATABASE_UNAVAILABLE" || error.reason === "TRANSACTION_CONFLICT")
  );
}
