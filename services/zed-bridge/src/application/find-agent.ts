import { timingSafeEqual } from "node:crypto";
import type { UserActor } from "@helix-zed/domain";
import { sessionTokenPrefix } from "@helix-zed/sync-protocol";
import { hashToken } from "../domain/redact.ts";
import type { KnownAgentToken, LiveThread } from "../persistence/agent-token-repository.ts";
import type { App } from "./app.ts";

/** An agent that calls us. */
export interface Agent {
  /** The same for all calls with one token. */
  readonly holder: string;
  /** The person that it works for, and whose rows it may see. */
  readonly actor: UserActor;
  readonly taskId: string;
  /**
   * Whose work it does. `null` for an editor's token while that cannot be told: several sessions are at work in the
   * editor, or none.
   */
  readonly session: AgentSession | null;
}

/** The work session that an agent acts for. */
export interface AgentSession extends LiveThread {
  readonly instanceId: string;
}

/** An agent of which is known whose work it does. */
export interface ActingAgent extends Agent {
  readonly session: AgentSession;
}

const TOKEN = new RegExp(`^${sessionTokenPrefix}[\\w-]{43}$`);

/** Who calls with this token; `null` if it is not good, whatever is wrong with it. */
export async function findAgent(app: App, token: string): Promise<Agent | null> {
  if (!TOKEN.test(token)) return null;
  const hash = hashToken(token);
  return app.database.transact(async (unit) => {
    const known = await unit.agentTokens.find(hash);
    // Found by an index, which takes its time by the hash and so tells nothing about the token; compared all the same.
    if (known === null || !timingSafeEqual(Buffer.from(known.hash, "hex"), Buffer.from(hash, "hex"))) return null;
    const threads = await unit.agentTokens.liveThreads(known.instanceId, known.mappingId);
    if (known.mappingId !== null && threads.length === 0) return null;
    return agentOf(known, actingThread(threads));
  });
}

/** The only thread of an editor, or the only one in which a turn is under way. */
function actingThread(threads: readonly LiveThread[]): LiveThread | null {
  const [only = null, ...others] = threads.length > 1 ? threads.filter(({ turnId }) => turnId !== null) : threads;
  return others.length === 0 ? only : null;
}

function agentOf(known: KnownAgentToken, thread: LiveThread | null): Agent {
  const { hash, instanceId, taskId, userId, organizationId } = known;
  return {
    holder: hash,
    actor: { kind: "user", userId, ...(organizationId === "" ? {} : { organizationId }) },
    taskId,
    session: thread === null ? null : { ...thread, instanceId },
  };
}
