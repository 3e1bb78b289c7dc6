import type { Actor, World } from "@helix-zed/domain";
import type { PermissionPolicy } from "@helix-zed/sync-protocol";
import type { Agents } from "../domain/agents.ts";
import type { Limits } from "../domain/limits.ts";
import type { LaunchTarget } from "../domain/zed-instance.ts";
import type { Database } from "../persistence/database.ts";

/** What every use case is given. */
export interface App {
  readonly database: Database;
  readonly world: World;
  readonly limits: Limits;
  readonly agents: Agents;
  /** Folders that work may be done in, as real paths. */
  readonly roots: readonly string[];
  /** How new instances are started. */
  readonly launchTarget: LaunchTarget;
  /** Work sessions as task-service knows them. Asked before a transaction, never inside one. */
  readonly workSessions: WorkSessionReader;
  /** What becomes of agents' requests for permission where a session does not say; `null`: as the agent is configured. */
  readonly permissionPolicy: PermissionPolicy | null;
  /** Tasks as task-service knows them; asked like work sessions. */
  readonly tasks: TaskReader;
  /** Where agents find our MCP server; `null` until we listen. */
  readonly mcpUrl: () => string | null;
  /** Texts that must never be stored: provider keys, our own tokens. */
  readonly secrets: readonly string[];
}

/** A work session as far as a thread depends on it. */
export interface WorkSessionFacts {
  readonly id: string;
  readonly taskId: string;
  readonly userId: string;
  /** Empty for a user's own. */
  readonly organizationId: string;
  readonly agentType: string;
  readonly name: string;
}

/** A work session as a caller finds it. */
export interface FoundWorkSession extends WorkSessionFacts {
  /** Whether it is completed, failed or cancelled. */
  readonly ended: boolean;
  /** The folder that the session or its task names; empty for none. */
  readonly projectPath: string;
  readonly onTurnEnd: "complete" | "idle";
  /** Whether it works in a copy of its project, which is made when it is claimed. */
  readonly ownCopy: boolean;
}

/** The one thing that callers' requests need of task-service. */
export interface WorkSessionReader {
  /** Reads a session for the actor; `null` if there is none or it is another tenant's. */
  find(actor: Actor, workSessionId: string): Promise<FoundWorkSession | null>;
}

/** A task as far as an editor that works for it depends on it. */
export interface FoundTask {
  readonly id: string;
  readonly userId: string;
  /** Empty for a user's own. */
  readonly organizationId: string;
  /** Whether it is completed, failed or cancelled. */
  readonly ended: boolean;
}

/** How tasks are read. */
export interface TaskReader {
  /** Reads a task for the actor; `null` if there is none or it is another tenant's. */
  find(actor: Actor, taskId: string): Promise<FoundTask | null>;
}
