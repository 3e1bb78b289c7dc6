import path from "node:path";
import { passedEnvironment } from "@helix-zed/acp-host/passed-environment";
import { type Outside, type Read, runService, type ServiceParts, openAuthentication } from "@helix-zed/server";
import type { App } from "./application/app.ts";
import { forgetLinks } from "./application/close-link.ts";
import { Bridge, taskServiceClients } from "./bridge.ts";
import { launchTargetOf, settings } from "./config.ts";
import { holdDataFolder, runnerNameIn } from "./data-folder.ts";
import { defaultLimits } from "./domain/limits.ts";
import { launchRecipes } from "./launch-recipes.ts";
import { secretsIn } from "./launcher/secrets-in.ts";
import { McpEndpoint, mcpPath } from "./mcp/mcp-endpoint.ts";
import { Database } from "./persistence/database.ts";
import { migrateBridge } from "./persistence/migrate.ts";
import { taskReader } from "./runner/task-reader.ts";
import { workSessionReader } from "./runner/work-session-reader.ts";
import { reasonCodes } from "./transport/reason-codes.ts";
import { zedRoutes } from "./transport/zed-routes.ts";
import { gitIn } from "./workspace/git.ts";
import { gitSurroundings, setupEnvironment } from "./workspace/workspace-environment.ts";
import { Workspaces } from "./workspace/workspaces.ts";

await runService({ name: "zed-bridge", settings, build });

async function build(config: Read<typeof settings>, { log, world }: Outside): Promise<ServiceParts> {
  const { databaseUrl, dataDirectory, agents, roots, serviceToken } = config;
  const launchTarget = launchTargetOf(config);
  const dataFolder = await holdDataFolder(dataDirectory);
  const runner = config.runnerName ?? (await runnerNameIn(dataDirectory, world));
  const environment = passedEnvironment(process.env, agents.environmentNames);
  const taskService = taskServiceClients({ baseUrl: config.taskUrl, token: serviceToken });
  let mcpUrl: string | null = null;
  await migrateBridge(databaseUrl);
  const database = await Database.open({ url: databaseUrl, warn: (message) => log.warn(message) });
  const app: App = {
    database,
    world,
    limits: {
      ...defaultLimits,
      permissionTimeoutMs: config.permissionTimeoutMs,
      idleStopMs: config.idleStopMs === 0 ? null : config.idleStopMs,
    },
    permissionPolicy: config.permissionPolicy,
    agents: agents.byType,
    roots,
    launchTarget,
    workSessions: workSessionReader(taskService),
    tasks: taskReader(taskService),
    mcpUrl: () => mcpUrl,
    secrets: [serviceToken, ...secretsIn(environment)],
  };
  await forgetLinks(app, { runner });
  const authentication = openAuthentication(config, { log, world });
  const recipes = launchRecipes(config, { environment: process.env, isRoot: process.getuid?.() === 0 });
  const { instanceRetentionMs } = config;
  const workspaces = new Workspaces({
    folder: path.join(dataDirectory, "worktrees"),
    roots,
    policy: config.worktreePolicy,
    git: gitIn(gitSurroundings(process.env)),
    environment: setupEnvironment(process.env),
  });
  const bridge = new Bridge({
    app,
    runner,
    taskService,
    recipes,
    workspaces,
    dataDirectory,
    instanceRetentionMs,
    databaseUrl,
    log,
  });
  const mcp = new McpEndpoint({ app, workSessions: taskService.workSessions, log });
  return {
    routes: zedRoutes(app),
    authenticate: authentication.authenticate,
    codes: reasonCodes,
    fallback: mcp.handle,
    upgrade: bridge.upgrade,
    checks: { database: () => database.check() },
    started: ({ port }) => {
      const address = `${reachableHost(config.host)}:${port}`;
      mcpUrl = config.mcpUrl ?? `http://${address}${mcpPath}`;
      bridge.start(config.editorAddress ?? address);
    },
    draining: async () => void (await Promise.all([mcp.close(), bridge.stop()])),
    stopped: async () => {
      await authentication.close();
      await database.close();
      await dataFolder.release();
    },
  };
}

/** What a process on this machine connects to where we listen on this host. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
