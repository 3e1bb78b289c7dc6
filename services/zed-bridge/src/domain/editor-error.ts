/** What an error of a turn means for it. */
export type TurnError =
  /** The agent died: the same prompt may succeed with a new one. */
  | "crashed"
  /** There is no such agent, or no session can be opened with it: no prompt can succeed. */
  | "unavailable"
  /** The agent said no to this prompt. */
  | "refused";

const CRASHED = /\bexited\b|\bin mid-turn\b|\bkilled by\b|session not found|connection (?:was )?closed/i;
const NEVER_BEGAN =
  /did not start|cannot be started|cannot open a session|not (?:found|installed|registered|configured)/i;

/** What an editor's words about a failed turn mean. Without a thread the error is about making one. */
export function classifyTurnError(error: string, { hasThread }: { readonly hasThread: boolean }): TurnError {
  if (hasThread) return CRASHED.test(error) ? "crashed" : "refused";
  return CRASHED.test(error) && !NEVER_BEGAN.test(error) ? "crashed" : "unavailable";
}

const NO_ROLLOUT = "no rollout found for thread id";
const NO_THREAD = 'no thread found with ID: SessionId("';
const NO_RESOURCE = /^Failed to load thread: Resource not found: (?<uri>.*)$/s;

/** Whether an editor says for certain that the thread does not exist: nothing else may make us forget its id. */
export function saysThreadIsMissing(error: string, threadId: string): boolean {
  if (error.includes(NO_ROLLOUT) || error.includes(`${NO_THREAD}${threadId}"`)) return true;
  return NO_RESOURCE.exec(error)?.groups?.["uri"]?.includes(threadId) ?? false;
}
