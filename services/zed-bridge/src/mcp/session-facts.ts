import { type WorkSession, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";

/** Every status of a session, in the words of the REST interface. */
export const statusWords = ["pending", "blocked", "active", "completed", "failed", "cancelled"] as const;

const wordsByStatus: ReadonlyMap<WorkSessionStatus, string> = new Map([
  [WorkSessionStatus.PENDING, "pending"],
  [WorkSessionStatus.BLOCKED, "blocked"],
  [WorkSessionStatus.ACTIVE, "active"],
  [WorkSessionStatus.COMPLETED, "completed"],
  [WorkSessionStatus.FAILED, "failed"],
  [WorkSessionStatus.CANCELLED, "cancelled"],
]);

/** Where a session stands, in one of the {@link statusWords}. */
export function statusWord(status: WorkSessionStatus): string {
  return wordsByStatus.get(status) ?? "unknown";
}

/** What an agent is told of a session among others; nothing stands there that is empty. */
export interface SessionFacts {
  readonly id: string;
  readonly name: string;
  readonly agent_type: string;
  readonly status: string;
  readonly status_reason?: string;
  /** The session of the agent that asks. */
  readonly is_you?: true;
  readonly spawned_by_you?: true;
  readonly summary?: string;
  readonly error?: string;
}

/** A session in a few words; of what came of it at most so many characters. */
export function sessionFacts(session: WorkSession, own: WorkSession, resultCharactersMax: number): SessionFacts {
  const { id, name, agentType: agent_type, status, statusReason, result } = session;
  return {
    id,
    name,
    agent_type,
    status: statusWord(status),
    ...(statusReason === "" ? {} : { status_reason: statusReason }),
    ...(id === own.id ? { is_you: true } : {}),
    ...(isSpawnedBy(session, own) ? { spawned_by_you: true } : {}),
    ...(result === undefined || result.summary === "" ? {} : { summary: cut(result.summary, resultCharactersMax) }),
    ...(result === undefined || result.error === "" ? {} : { error: cut(result.error, resultCharactersMax) }),
  };
}

/** Whether one session has spawned the other. */
export function isSpawnedBy(session: WorkSession, spawner: WorkSession): boolean {
  return session.parentWorkSessionId === spawner.id || session.spawnedBySessionId === spawner.helixSessionId;
}

/** A point in time as text; empty for none. */
export function timeText(timestamp: Timestamp | undefined): string {
  return timestamp === undefined ? "" : timestampDate(timestamp).toISOString();
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max).toWellFormed()} […]`;
}
