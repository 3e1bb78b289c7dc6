// Giving agents access
//
// An agent calls us with a token that stands for its work session. It is made when the agent's session is created or
// loaded and handed over with the command that does it; we keep its hash. A token is good for one launch of the editor,
// so each launch needs a new one. Within a launch the host keeps what it was given, and an agent that runs goes on using
// it: so no other is made once the thread has shown that it is alive with it, and none is taken back before the launch or
// the thread ends. The tokens of commands that were lost on their way are never used.
//
// A real Zed has one list of MCP servers for all its threads, in its settings. Its token stands for the editor; on whose
// behalf a call is made is found out when it is: see find-agent.ts. An editor that somebody else has started may have a
// new process behind the same launch, so there every command carries a token.
import { type McpServer, sessionTokenPrefix } from "@helix-zed/sync-protocol";
import { hashToken } from "../domain/redact.ts";
import type { ThreadMapping } from "../domain/thread-mapping.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { Unit } from "../persistence/unit.ts";
import type { App } from "./app.ts";
import type { ThreadScope } from "./thread-scope.ts";

/** What agents see our MCP server as. */
export const mcpServerName = "helix";

/** What goes with a command that creates or loads an agent's session. */
export interface AgentAccess {
  readonly mcp_servers?: McpServer[];
}

/** Makes a token for the agent of a thread, unless the editor has one already or agents cannot reach us. */
export async function grantAgentAccess(
  app: App,
  { unit, mapping, now }: Pick<ThreadScope, "unit" | "mapping" | "now">,
  instance: ZedInstance,
): Promise<AgentAccess> {
  const url = app.mcpUrl();
  if (url === null || !takesCommands(instance) || (await hasToken(unit, mapping, instance))) return {};
  return { mcp_servers: [await newAccess(app, unit, { url, instance, mappingId: mapping.id, now })] };
}

/** Makes a token for all agents of an editor, for its settings. `null` if the launch is over or agents cannot reach us. */
export function grantEditorAccess(
  app: App,
  { instanceId, launch }: { readonly instanceId: string; readonly launch: number },
): Promise<McpServer | null> {
  const now = app.world.now();
  const url = app.mcpUrl();
  return app.database.transact(async (unit) => {
    const instance = await unit.instances.lock(instanceId);
    if (url === null || instance === null || instance.launchCount !== launch) return null;
    return newAccess(app, unit, { url, instance, mappingId: null, now });
  });
}

/** Our own hosts, and what somebody else has started, are told thread by thread; a Zed of ours by its settings. */
function takesCommands({ launchTarget }: ZedInstance): boolean {
  return launchTarget === "acp-host" || launchTarget === "external";
}

async function hasToken(
  unit: Unit,
  mapping: ThreadMapping,
  { launchTarget, launchCount }: ZedInstance,
): Promise<boolean> {
  if (mapping.zedThreadId === null || launchTarget === "external") return false;
  return unit.agentTokens.isHeld({ mappingId: mapping.id, launch: launchCount, epoch: mapping.openedEpoch });
}

interface NewAccess {
  readonly url: string;
  readonly instance: ZedInstance;
  readonly mappingId: string | null;
  readonly now: Date;
}

async function newAccess(app: App, unit: Unit, { url, instance, mappingId, now }: NewAccess): Promise<McpServer> {
  const token = sessionTokenPrefix + app.world.newSecret();
  const { id: instanceId, launchCount: launch, linkEpoch: epoch } = instance;
  await unit.agentTokens.add({ hash: hashToken(token), instanceId, mappingId, launch, epoch, now });
  return { name: mcpServerName, url, headers: [{ name: "Authorization", value: `Bearer ${token}` }] };
}
