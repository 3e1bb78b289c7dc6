import { freshDatabase } from "@helix-zed/harness/fresh-database.ts";
import type { App } from "../application/app.ts";
import { openThread } from "../application/open-thread.ts";
import { prepareLaunch } from "../application/prepare-launch.ts";
import type { AgentSettings, OnTurnEnd } from "../domain/thread-mapping.ts";
import { migrateBridge } from "../persistence/migrate.ts";
import { openApp, runner } from "./open-app.ts";

export { openApp, runner } from "./open-app.ts";

/** A bridge's use cases on a database of their own. */
export interface BridgeApp {
  readonly app: App;
  readonly databaseUrl: string;
  close(): Promise<void>;
}

/** Opens use cases on a fresh database; what is given replaces the usual parts. */
export async function openBridgeApp(parts: Partial<App> = {}): Promise<BridgeApp> {
  const databaseUrl = await freshDatabase("zed-bridge", async (url) => void (await migrateBridge(url)));
  const app = await openApp(databaseUrl, parts);
  return { app, databaseUrl, close: () => app.database.close() };
}

/** A work session that the bridge has claimed. */
export interface ClaimedSession {
  readonly workSessionId: string;
  readonly mappingId: string;
  readonly instanceId: string;
}

/** What may be chosen about a claimed session. */
export interface ClaimOptions {
  readonly taskId?: string;
  readonly firstPrompt?: string;
  readonly onTurnEnd?: OnTurnEnd;
  readonly projectPath?: string;
  readonly agentSettings?: AgentSettings;
  /** A session that was claimed before. */
  readonly workSessionId?: string;
  readonly leaseEpoch?: bigint;
  /** The bridge that claims it. */
  readonly runner?: string;
}

/** Claims a new work session: its thread is wanted and its first prompt queued. */
export async function claimSession(app: App, options: ClaimOptions = {}): Promise<ClaimedSession> {
  const { firstPrompt = "Say hello", onTurnEnd = "idle", projectPath = "/", taskId = app.world.newId("tsk") } = options;
  const claimedBy = options.runner ?? runner;
  const { workSessionId = app.world.newId("ws"), leaseEpoch = 1n } = options;
  const opened = await openThread(app, {
    workSession: { id: workSessionId, taskId, userId: "ann", organizationId: "", agentType: "zed_agent", name: "Work" },
    leaseEpoch,
    firstPrompt,
    projectPath,
    onTurnEnd,
    ...(options.agentSettings === undefined ? {} : { agentSettings: options.agentSettings }),
    runner: claimedBy,
  });
  return { workSessionId, ...opened };
}

/** Begins a launch of an instance and gives the token that its process would get. */
export async function launchToken(app: App, instanceId: string): Promise<string> {
  const launch = await prepareLaunch(app, { instanceId });
  if (launch === null) throw new Error(`${instanceId} is not to be launched`);
  return launch.token;
}
