import { passedEnvironment } from "@helix-zed/acp-host/passed-environment";
import { type Outside, type Read, runService, type ServiceParts, openAuthentication } from "@helix-zed/server";
import type { App } from "./application/app.ts";
import { forgetLinks } from "./application/close-link.ts";
import { Bridge, taskServiceClients } from "./bridge.ts";
import { settings } from "./config.ts";
import { holdDataFolder, runnerNameIn } from "./data-folder.ts";
import { defaultLimits } from "./domain/limits.ts";
import { acpHostRecipe } from "./launcher/acp-host-recipe.ts";
import { secretsIn } from "./launcher/secrets-in.ts";
import { Database } from "./persistence/database.ts";
import { migrateBridge } from "./persistence/migrate.ts";
import { workSessionReader } from "./runner/work-session-reader.ts";
import { reasonCodes } from "./transport/reason-codes.ts";
import { zedRoutes } from "./transport/zed-routes.ts";

await runService({ name: "zed-bridge", settings, build });

async function build(config: Read<typeof settings>, { log, world }: Outside): Promise<ServiceParts> {
  const { databaseUrl, dataDirectory, agents, roots, launcher: launchTarget, serviceToken, orphanTimeoutMs } = config;
  const dataFolder = await holdDataFolder(dataDirectory);
  const runner = config.runnerName ?? (await runnerNameIn(dataDirectory, world));
  const environment = passedEnvironment(process.env, agents.environmentNames);
  const taskService = taskServiceClients({ baseUrl: config.taskUrl, token: serviceToken });
  await migrateBridge(databaseUrl);
  const database = await Database.open({ url: databaseUrl, warn: (message) => log.warn(message) });
  const app: App = {
    database,
    world,
    limits: defaultLimits,
    agents: agents.byType,
    roots,
    launchTarget,
    workSessions: workSessionReader(taskService),
    secrets: [serviceToken, ...secretsIn(environment)],
  };
  await forgetLinks(app, { runner });
  const authentication = openAuthentication(config, { log, world });
  const { definitions, defaultAgent } = agents;
  const recipes = [acpHostRecipe({ agents: definitions, defaultAgent, environment, orphanTimeoutMs })];
  const bridge = new Bridge({ app, runner, taskService, recipes, dataDirectory, databaseUrl, log });
  return {
    routes: zedRoutes(app),
    authenticate: authentication.authenticate,
    codes: reasonCodes,
    upgrade: bridge.upgrade,
    checks: { database: () => database.check() },
    started: ({ port }) => bridge.start(`${reachableHost(config.host)}:${port}`),
    draining: () => bridge.stop(),
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
