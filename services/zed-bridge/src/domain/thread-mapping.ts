import { type Lifecycle, nextState } from "@helix-zed/domain";
import { type PermissionPolicy, sumOfUsages, type TokenUsage } from "@helix-zed/sync-protocol";
import { defineEntity, type OptionalProps, p } from "@mikro-orm/core";
import type { JsonObject } from "./json.ts";
import type { Workspace } from "./workspace.ts";

/** Where a thread stands. */
export type ThreadStatus = "pending" | "active" | "disconnected" | "completed" | "failed";

/** What may happen to a thread. */
export type ThreadAction = "live" | "disconnect" | "lose" | "complete" | "fail";

/** Every action in every status. `live`: the editor has shown that it holds the thread. `lose`: it no longer exists. */
export const threadLifecycle: Lifecycle<ThreadStatus, ThreadAction> = {
  pending: { live: "active", disconnect: null, lose: null, complete: "completed", fail: "failed" },
  active: { live: null, disconnect: "disconnected", lose: "pending", complete: "completed", fail: "failed" },
  disconnected: { live: "active", disconnect: null, lose: "pending", complete: "completed", fail: "failed" },
  completed: { live: null, disconnect: null, lose: null, complete: null, fail: null },
  failed: { live: null, disconnect: null, lose: null, complete: null, fail: null },
};

/** Whether nothing can happen to a thread any more. */
export function isThreadOver(status: ThreadStatus): boolean {
  return status === "completed" || status === "failed";
}

/** How a work session wants its agent to be set up; `null`: as the agent and the bridge are configured. */
export interface AgentSettings {
  readonly model: string | null;
  readonly mode: string | null;
  readonly permissionPolicy: PermissionPolicy | null;
}

/** Nothing in particular. */
export const usualAgentSettings: AgentSettings = { model: null, mode: null, permissionPolicy: null };

/** What the end of a turn means for its work session. */
export type OnTurnEnd = "complete" | "idle";

/** What task-service is to be told about the work session. */
export type Outcome = "active" | "completed" | "failed" | "cancelled";

const ThreadMappingSchema = defineEntity({
  name: "ThreadMapping",
  tableName: "zed_thread_mappings",
  properties: {
    id: p.string().primary(),
    workSessionId: p.string(),
    tenant: p.string(),
    taskId: p.string(),
    zedSessionId: p.string(),
    /** `null` until the editor names it. */
    zedThreadId: p.string().strictNullable(),
    projectPath: p.text(),
    /** The session's own copy of the project; `null` where it works in the project itself. */
    workspace: p.json().$type<Workspace>().strictNullable(),
    workspaceConfig: p.json().$type<JsonObject>(),
    /** As the editor knows it; fixed for the life of the thread. */
    agentName: p.string(),
    /** How the agent's session is set up, where the work session says it. */
    model: p.text().strictNullable(),
    mode: p.text().strictNullable(),
    permissionPolicy: p.string().$type<PermissionPolicy>().strictNullable(),
    status: p.string().$type<ThreadStatus>(),
    statusReason: p.text(),
    statusChangedAt: p.datetime(),
    onTurnEnd: p.string().$type<OnTurnEnd>(),
    /** The lease under which this bridge works on the session; `null` while it does not. */
    leaseEpoch: p.bigint().strictNullable(),
    firstPromptQueued: p.boolean(),
    turnCount: p.integer(),
    /** The connection in which the thread last showed that it is alive. */
    openedEpoch: p.integer(),
    /** The connection in which `open_thread` was last sent, and when. */
    openSentEpoch: p.integer(),
    openSentAt: p.datetime().strictNullable(),
    /** How often in a row the thread could not be opened, and when to try again. */
    openFailures: p.integer(),
    openNotBefore: p.datetime().strictNullable(),
    /** The turn for which a thread that no longer exists was replaced: once for each turn. */
    replacedForTurnId: p.string().strictNullable(),
    outcome: p.string().$type<Outcome>().strictNullable(),
    outcomeReason: p.text(),
    outcomeSummary: p.text(),
    outcomeError: p.text(),
    outcomeReported: p.string().$type<Outcome>().strictNullable(),
    outcomeReportedAt: p.datetime().strictNullable(),
    logSeq: p.bigint("number"),
    version: p.integer(),
    /** As the editor calls the thread; empty while it does not. */
    title: p.text(),
    /** What its turns have cost; `null` while no agent has said. */
    usage: p.json().$type<TokenUsage>().strictNullable(),
    lastActivityAt: p.datetime().strictNullable(),
    endedAt: p.datetime().strictNullable(),
    /** Hidden from callers: its work session does not exist any more. */
    deletedAt: p.datetime().strictNullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** The mapping of a work session to the thread that an editor holds for it. */
export class ThreadMapping extends ThreadMappingSchema.class {
  declare [OptionalProps]?: "ended";

  /** Whether nothing can happen to the thread any more. */
  get ended(): boolean {
    return isThreadOver(this.status);
  }

  /** The one place where a thread's status changes. Returns whether it did. */
  move(action: ThreadAction, { now, reason = "" }: { readonly now: Date; readonly reason?: string }): boolean {
    const next = nextState(threadLifecycle, this.status, action);
    if (next === null) return false;
    this.status = next;
    this.statusReason = reason;
    this.statusChangedAt = now;
    this.updatedAt = now;
    if (this.ended) this.endedAt = now;
    return true;
  }

  /** Adds what a turn has cost. Unknown is not zero: it changes nothing. */
  addUsage(usage: TokenUsage | null): void {
    if (usage !== null) this.usage = sumOfUsages(this.usage, usage);
  }

  /** Owes task-service a report. What has ended stays as it ended. */
  owe(
    outcome: Outcome,
    details: { readonly reason?: string; readonly summary?: string; readonly error?: string } = {},
  ): void {
    if (this.outcome !== null && this.outcome !== "active") return;
    this.outcome = outcome;
    this.outcomeReason = details.reason ?? "";
    this.outcomeSummary = details.summary ?? "";
    this.outcomeError = details.error ?? "";
  }
}
ThreadMappingSchema.setClass(ThreadMapping);
