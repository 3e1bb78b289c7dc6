import type { PermissionPolicy, SyncCommand } from "@helix-zed/sync-protocol";

/** How the agent's session of a thread is set up where it is created or loaded; `null`: as the agent is configured. */
export interface SessionSettings {
  /** The agent's own name of a model. */
  readonly model: string | null;
  /** The agent's own name of a mode. */
  readonly mode: string | null;
  /** What becomes of the agent's requests for permission, from now on. */
  readonly permissionPolicy: PermissionPolicy | null;
}

/** What a command says about it. */
export function settingsIn(data: SyncCommand<"chat_message" | "open_thread">["data"]): SessionSettings {
  return { model: data.model, mode: data.mode, permissionPolicy: data.permission_policy };
}
