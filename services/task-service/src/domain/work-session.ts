// Work sessions: who may say what
//
// A session is worked on under a lease: a runner's name, an epoch, and a time. Every claim begins a new epoch, and what
// is said under an older one is refused, so a runner that was thought dead and comes back disturbs nobody. The time is
// only for finding runners that are gone; whether a lease is current is decided by its epoch alone.
//
// The attempt counts how often work has begun: 0 before the first claim, 1 with it, one more for each lease that was
// lost. A runner that takes up its own session again (it was restarted) goes on with its attempt, and one that gave the
// session back has lost nothing.

import { nextState } from "@helix-zed/domain";
import { defineEntity, p } from "@mikro-orm/core";
import { refuse } from "./reason.ts";
import type { Json } from "./task.ts";
import type { TaskType } from "./task-lifecycle.ts";
import type { OnTurnEnd } from "./turn-end.ts";
import {
  hasSessionEnded,
  type WorkSessionAction,
  workSessionLifecycle,
  type WorkSessionStatus,
} from "./work-session-lifecycle.ts";

/** What an agent is told and how it is driven, in the spelling of the stored JSON. */
export interface AgentConfig {
  readonly prompt?: string;
  readonly on_turn_end?: OnTurnEnd;
  readonly model?: string;
  readonly mode?: string;
  readonly permission_policy?: PermissionPolicy;
  readonly extra?: Json;
}

/** What becomes of an agent's requests for permission. */
export type PermissionPolicy = "allow" | "ask" | "reject";

/** Where an agent works, in the spelling of the stored JSON. */
export interface EnvironmentConfig {
  readonly project_path?: string;
  readonly isolation?: Isolation;
  readonly setup_command?: readonly string[];
  readonly base_branch?: string;
  readonly extra?: Json;
}

/** Whether a session works in its project's folder or in a copy of its own. */
export type Isolation = "none" | "worktree";

/** What came of a session. */
export interface WorkSessionResult {
  readonly summary: string;
  readonly error: string;
}

/** All that is stored about a work session. */
export interface WorkSessionFacts {
  readonly id: string;
  readonly tenant: string;
  readonly taskId: string;
  readonly helixSessionId: string;
  readonly name: string;
  readonly description: string;
  readonly agentType: string;
  readonly status: WorkSessionStatus;
  readonly statusReason: string;
  readonly statusChangedAt: Date;
  readonly parentWorkSessionId: string | null;
  readonly spawnedBySessionId: string | null;
  readonly agentConfig: AgentConfig | null;
  readonly environmentConfig: EnvironmentConfig | null;
  /** Who holds it; `null` while nobody does. */
  readonly runner: string | null;
  readonly leaseEpoch: number;
  readonly leaseExpiresAt: Date | null;
  readonly attempt: number;
  readonly result: WorkSessionResult | null;
  readonly userId: string;
  readonly organizationId: string;
  readonly taskType: TaskType;
  /** Its task's. */
  readonly priority: number;
  /** Its task's. */
  readonly appId: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly startedAt: Date | null;
  readonly completedAt: Date | null;
}

const WorkSessionSchema = defineEntity({
  name: "WorkSession",
  tableName: "work_sessions",
  properties: {
    id: p.string().primary(),
    tenant: p.string(),
    taskId: p.string(),
    helixSessionId: p.string(),
    name: p.string(),
    description: p.text(),
    agentType: p.string(),
    status: p.string().$type<WorkSessionStatus>(),
    statusReason: p.string(),
    statusChangedAt: p.datetime(),
    parentWorkSessionId: p.string().strictNullable(),
    spawnedBySessionId: p.string().strictNullable(),
    agentConfig: p.json().$type<AgentConfig>().strictNullable(),
    environmentConfig: p.json().$type<EnvironmentConfig>().strictNullable(),
    runner: p.string().strictNullable(),
    leaseEpoch: p.integer(),
    leaseExpiresAt: p.datetime().strictNullable(),
    attempt: p.integer(),
    result: p.json().$type<WorkSessionResult>().strictNullable(),
    userId: p.string(),
    organizationId: p.string(),
    taskType: p.string().$type<TaskType>(),
    priority: p.integer(),
    appId: p.string(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    startedAt: p.datetime().strictNullable(),
    completedAt: p.datetime().strictNullable(),
  },
});

/** A move from one status to the next. */
export interface Move {
  readonly now: Date;
  readonly reason?: string;
  readonly result?: WorkSessionResult | null;
}

/** One agent's part of a task, and what may happen to it. */
export class WorkSession extends WorkSessionSchema.class {
  /** Takes the action, or refuses where the lifecycle has none from here. The end of a session ends its lease. */
  move(action: WorkSessionAction, { now, reason = "", result = null }: Move): void {
    const next = nextState(workSessionLifecycle, this.status, action);
    if (next === null) throw this.conflict(action);
    if (next !== this.status) this.statusChangedAt = now;
    this.status = next;
    this.statusReason = reason;
    this.updatedAt = now;
    if (next === "active") this.startedAt ??= now;
    if (!hasSessionEnded(next)) return;
    this.completedAt = now;
    this.result = result;
    this.endLease();
  }

  /** Puts the session into a runner's hands until a time of the database's clock. */
  claim({ runner, now, expiresAt }: { readonly runner: string; readonly now: Date; readonly expiresAt: Date }): void {
    const lostByAnother = this.runner !== null && this.runner !== runner;
    if (this.attempt === 0 || lostByAnother) this.attempt++;
    this.runner = runner;
    this.leaseEpoch++;
    this.leaseExpiresAt = expiresAt;
    this.updatedAt = now;
  }

  /** Whether a runner may claim the session at a time of the database's clock. */
  isFreeFor(runner: string, databaseNow: Date): boolean {
    if (this.runner === null || this.runner === runner) return true;
    return this.leaseExpiresAt === null || this.leaseExpiresAt <= databaseNow;
  }

  /** The runner gives the session back. */
  release(now: Date, reason: string): void {
    this.move("requeue", { now, reason });
    this.endLease();
  }

  /** The runner was not heard of in time: the session waits for another, or is given up after its last attempt. */
  expire(now: Date, attemptsMax: number): void {
    if (this.attempt >= attemptsMax) {
      const error = `Work was begun ${this.attempt} times, and each time its runner was lost.`;
      this.move("fail", { now, reason: "RUNNER_LOST", result: { summary: "", error } });
      return;
    }
    this.release(now, "LEASE_EXPIRED");
    this.attempt++;
  }

  /** Helix's own session takes the place of the one that the work session had. */
  bind(helixSessionId: string, now: Date): void {
    this.helixSessionId = helixSessionId;
    this.updatedAt = now;
  }

  /** The session that asked for this one has another id from now on. */
  followSpawner(helixSessionId: string, now: Date): void {
    this.spawnedBySessionId = helixSessionId;
    this.updatedAt = now;
  }

  /** Refuses if the session has changed since the caller read it. */
  requireVersion(expected: number | undefined): void {
    if (expected === undefined || expected === this.version) return;
    throw refuse("ETAG_MISMATCH", "The work session has changed since it was read.", { work_session: this.id });
  }

  /** Refuses what is said under a lease that is no longer current. */
  requireEpoch(epoch: number): void {
    if (epoch === this.leaseEpoch && (this.runner !== null || hasSessionEnded(this.status))) return;
    const context = { work_session: this.id, epoch: String(epoch), current_epoch: String(this.leaseEpoch) };
    throw refuse("LEASE_LOST", "The lease on the work session is no longer held.", context);
  }

  // Not #private: the ORM makes entities without running a constructor, which is what installs private methods.
  private endLease(): void {
    this.runner = null;
    this.leaseExpiresAt = null;
  }

  private conflict(action: WorkSessionAction): Error {
    const context = { work_session: this.id, status: this.status, action };
    const message = `Cannot ${action} a work session that is ${this.status}.`;
    return refuse("WORK_SESSION_STATUS_CONFLICT", message, context);
  }
}
WorkSessionSchema.setClass(WorkSession);
