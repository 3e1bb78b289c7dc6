import type { McpServer, PermissionPolicy, SyncCommand } from "@helix-zed/sync-protocol";

/** How the agent's session of a thread is set up where it is created or loaded; `null`: as the agent is configured. */
export interface SessionSettings {
  /** The agent's own name of a model. */
  readonly model: string | null;
  /** The agent's own name of a mode. */
  readonly mode: string | null;
  /** What becomes of the agent's requests for permission, from now on. */
  readonly permissionPolicy: PermissionPolicy | null;
  /** What the agent may use beside its own tools; `null`: what this host was told of before. */
  readonly mcpServers: readonly McpServer[] | null;
}

/** What a command says about it. */
export function settingsIn(data: SyncCommand<"chat_message" | "open_thread">["data"]): SessionSettings {
  const { model, mode, permission_policy: permissionPolicy, mcp_servers: mcpServers = null } = data;
  return { model, mode, permissionPolicy, mcpServers };
}
