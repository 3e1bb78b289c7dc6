/** The connection that an event came on. */
export interface EventSource {
  readonly instanceId: string;
  readonly epoch: number;
}

/** What came of an event. */
export interface ReceivedEvent {
  /** Commands may be due now. */
  readonly wake: boolean;
  /** Why the event changed nothing, for the log; `null` where it counted. */
  readonly ignored: string | null;
}

/** It counted, and commands may be due. */
export const counted: ReceivedEvent = { wake: true, ignored: null };

/** It changed nothing, for this reason. */
export function ignored(why: string): ReceivedEvent {
  return { wake: false, ignored: why };
}

/** It is about a thread that no session has. */
export const threadUnknown: ReceivedEvent = ignored("the thread is not known");
